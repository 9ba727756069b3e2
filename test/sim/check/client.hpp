#pragma once

#include "base/random.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/history.hpp"
#include "sim/check/workload.hpp"
#include "sim/client_link.hpp"
#include "state/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
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
    std::uint64_t impatient_of_100 = 10; ///< operations that wait less than half a second
    /// So soon that a nonce may open a second session while the answer of the first is on its way.
    bool sessions_expire_soon = false;
};

/// C.1 and C.3 from the client's side: a session opened by a nonce, the same seq at each retry,
/// WHOIS to all members at once, REDIRECT, a deadline, epoch_seen. Writes what it did and heard
/// into the history.
class kv_client final : public client {
  public:
    /// `record` and `found` outlive it.
    kv_client(const client_habits& habits, history& record, findings& found, instant now);

    void dialled(instant now, server_id server, connection_id connection) override;
    void dial_failed(instant now, server_id server) override;
    void heard(instant now, connection_id connection, const server_answer& answer) override;
    void connection_ended(instant now, connection_id connection) override;
    void tick(instant) override {} // what time brings is done in take_output
    void finish(instant now) override { finishing_since_ = now; }
    [[nodiscard]] bool idle() const override { return open_.empty(); }
    [[nodiscard]] client_output take_output(instant now) override;

    /// I23: operations that should have been answered by now: those that were given up although
    /// the load had ended long before, and nothing went wrong any more.
    [[nodiscard]] std::size_t overdue(instant now) const;

  private:
    /// The way to one server.
    struct line {
        bool dialling = false;
        std::optional<connection_id> connection;
        instant dial_at;       ///< not before
        instant whois_at;      ///< not before
        instant waiting_since; ///< for an answer to any of `asked`
        std::map<request_id, std::uint64_t> asked;
    };

    /// An operation that has not ended; reads have no sequence.
    struct pending {
        history::ticket ticket = 0;
        check::request request;
        std::optional<state::sequence> seq;
        base::byte_vector body;
        instant deadline;
        bool sent = false;
        instant send_at; ///< not before
    };

    // What is asked besides operations, whose numbers begin behind.
    static constexpr std::uint64_t whois_question = 1;
    static constexpr std::uint64_t session_question = 2;
    static constexpr std::uint64_t attach_question = 3;
    static constexpr std::uint64_t first_operation = 4;

    void begin_operations(instant now);
    void begin(instant now);
    void end_overdue(instant now);
    void end(std::uint64_t number, instant now, reply heard);
    void end_session(instant now);

    void look_for_primary(instant not_before);
    void follow(server_id server);
    void lose(server_id server, instant now);
    void close_silent(instant now);
    void close_others();
    void dial(server_id server, line& to, instant now);
    void speak(server_id server, line& to, instant now);
    void send_operations(line& to, instant now);
    void send(line& to, instant now, std::uint64_t question, client_request what);
    [[nodiscard]] bool is_asked(const line& to, std::uint64_t question) const;
    [[nodiscard]] bool is_wanted(server_id server) const;

    /// Who answers what, and when.
    struct answering {
        server_id server;
        std::uint64_t question = 0;
        instant now;
    };
    void hear(const wire::login_ok& told, const answering& to);
    void hear(const wire::attached& told, const answering& to);
    void hear(const wire::operation_result& told, const answering& to);
    void hear(const wire::read_result& told, const answering& to);
    void hear(const wire::primary_is& told, const answering& to);
    void hear(const wire::redirect& told, const answering& to);
    void hear(const wire::error_reply& told, const answering& to);
    /// What answers nothing that this client asks.
    template <class Other>
    void hear(const Other& told, const answering& to);
    /// Nothing was recorded.
    void refused(wire::result_code code, const answering& to);
    void refused_operation(wire::result_code code, const answering& to);
    [[nodiscard]] bool is_one_redirect_too_many(instant now);

    [[nodiscard]] state::sequence first_unacked() const;
    [[nodiscard]] instant next_wake(instant now) const;
    [[nodiscard]] duration a_deadline();
    [[nodiscard]] duration a_pause();

    client_habits habits_;
    history& history_;
    findings& found_;
    base::generator random_;
    workload ideas_;

    std::map<server_id, line> lines_;
    std::map<connection_id, server_id> connections_;
    request_id last_request_;
    std::optional<server_id> chosen_; ///< believed to be primary; none: looking for it
    bool attached_ = false;
    std::vector<instant> redirects_; ///< C.3: of the last second

    state::open_nonce nonce_;
    std::optional<state::session_id> session_;
    epoch epoch_seen_;
    log_index last_seen_;
    state::sequence last_seq_;
    std::map<std::uint64_t, pending> open_;
    std::uint64_t next_operation_ = first_operation;
    instant next_begin_;
    std::optional<instant> finishing_since_;
    std::size_t unserved_ = 0;

    client_output out_;
};

} // namespace almenara::sim::check
