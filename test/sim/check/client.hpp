#pragma once

#include "base/random.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/history.hpp"
#include "sim/client_link.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace almenara::sim::check {

/// What one client does all day.
struct client_habits {
    client_number number;
    std::uint64_t seed = 0;
    std::vector<server_id> servers;
    std::uint64_t per_second = 25; ///< operations begun, as long as `in_flight` allows
    std::size_t in_flight = 4;
    std::size_t keys = 5; ///< few: clients shall get into each other's way
    duration deadline_least = std::chrono::seconds{5};
    duration deadline_most = std::chrono::seconds{30};
};

/// C.1 and C.3 from the client's side: a session opened by a nonce, the same seq at each retry,
/// WHOIS to all members at once, REDIRECT, a deadline, epoch_seen. Writes what it did and heard
/// into the history.
class kv_client final : public client {
  public:
    kv_client(client_habits habits, history& record, findings& found, instant now);

    void dialled(instant now, server_id server, connection_id connection) override;
    void dial_failed(instant now, server_id server) override;
    void heard(instant now, connection_id connection, const server_answer& answer) override;
    void connection_ended(instant now, connection_id connection) override;
    void tick(instant now) override;
    void finish(instant now) override;
    [[nodiscard]] bool idle() const override { return open_.empty(); }
    [[nodiscard]] client_output take_output(instant now) override;

    /// I23: operations that should have ended by now.
    [[nodiscard]] std::size_t overdue(instant now) const;

  private:
    /// A way to one server.
    struct line {
        bool dialling = false;
        std::optional<connection_id> connection;
        instant dial_at;       ///< not before
        instant last_heard;    ///< or since when an answer is waited for
        std::size_t asked = 0; ///< requests without an answer
    };

    enum class question : std::uint8_t { session, attach, operation, read, whois };
    struct asked {
        question what = question::whois;
        server_id server;
        std::uint64_t number = 0; ///< of the operation in open_
    };

    /// An operation that has not ended.
    struct pending {
        history::ticket ticket = 0;
        std::optional<state::sequence> seq; ///< none: a read
        base::byte_vector body;
        instant deadline;
        bool sent = false;
        instant send_at; ///< not before: BUSY
        log_index seen_when_called;
    };

    void begin_operations(instant now);
    void begin(instant now);
    [[nodiscard]] check::request invent();
    void end_overdue(instant now);
    void end(std::uint64_t number, instant now, reply what);

    void look_for_primary(instant now);
    void go_to(server_id server, instant now);
    void lose(server_id server, instant now);
    void dial_what_is_due(instant now);
    void close_silent(instant now);
    void close(server_id server, instant now);
    void speak(server_id server, instant now);
    void serve(server_id server, instant now);
    void send(
        server_id server, instant now, question what, client_request request, std::uint64_t number);

    void answered(const session_opened& what, const asked& to, instant now);
    void answered(const attached& what, const asked& to, instant now);
    void answered(const operation_result& what, const asked& to, instant now);
    void answered(const read_result& what, const asked& to, instant now);
    void answered(const primary_is& what, const asked& to, instant now);
    void answered(const redirected& what, const asked& to, instant now);
    void answered(const refused& what, const asked& to, instant now);
    void follow(epoch of, std::optional<server_id> primary, instant now);
    void learn(epoch of, log_index seen);

    [[nodiscard]] state::sequence first_unacked() const;
    [[nodiscard]] instant next_wake() const;

    client_habits habits_;
    history& history_;
    findings& found_;
    base::generator random_;

    std::map<server_id, line> lines_;
    std::map<connection_id, server_id> connections_;
    std::map<request_id, asked> asked_;
    request_id last_request_;
    std::optional<server_id> chosen_; ///< believed to be primary; none: looking for it
    bool attached_ = false;
    std::vector<instant> redirects_; ///< C.3: within the last second

    state::nonce nonce_;
    std::optional<state::session_id> session_;
    epoch epoch_seen_;
    log_index last_seen_;
    state::sequence next_seq_{1};
    std::map<std::uint64_t, pending> open_;
    std::uint64_t begun_ = 0;
    instant next_begin_;
    bool finishing_ = false;
    std::map<std::string, log_index> versions_; ///< of keys, as far as it was told

    client_output out_;
};

} // namespace almenara::sim::check
