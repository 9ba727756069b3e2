#pragma once

#include "base/random.hpp"
#include "client/failover.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/history.hpp"
#include "sim/client_link.hpp"
#include "state/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
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
    /// By which it may find a new primary.
    almenara::client::ways follow = almenara::client::all_ways_in_passing;
    /// Its servers say so at the door (C.2).
    cluster_id cluster{};
    /// About so long it lives, and then goes on with what it has kept. Nothing: it lives for ever.
    std::optional<duration> dies_every{};
};

/// How clients found their primaries, and what became of what they were told by datagram.
struct follow_counts {
    std::map<almenara::client::source, std::uint64_t> told_by;
    almenara::client::hint_counts hints;
    std::uint64_t bad = 0; ///< datagrams that no server of the cluster made for this client now
};

/// The client that people use (lib/client), given ideas of what to ask. Writes what it did and
/// heard into the history, and checks what it is told. The door of a server, where clients say
/// hello, is not simulated: it opens here, and so do answers to pings.
class kv_client final : public client {
  public:
    /// `record` and `found` outlive it.
    kv_client(const client_habits& habits, history& record, findings& found, instant now);

    void dialled(instant now, server_id server, connection_id connection) override;
    void dial_failed(instant now, server_id server) override;
    void heard(instant now, connection_id connection, const server_answer& answer) override;
    void connection_ended(instant now, connection_id connection) override;
    void datagram(instant now, base::byte_view bytes) override;
    void tick(instant) override {} // what time brings is done in take_output
    void finish(instant now) override { finishing_since_ = now; }
    [[nodiscard]] bool idle() const override {
        return core_->open().all().empty() && left_.empty();
    }
    [[nodiscard]] client_output take_output(instant now) override;

    /// I23: operations that should have been answered by now: those that were given up although
    /// the load had ended long before, and nothing went wrong any more.
    [[nodiscard]] std::size_t overdue(instant now) const;
    [[nodiscard]] follow_counts follows() const;

  private:
    using link_id = almenara::client::link_id;

    /// A connection, and what was asked over it.
    struct line {
        link_id link;
        server_id server;
        std::map<request_id, client_request> asked;
    };
    /// An operation that has not ended.
    struct pending {
        history::ticket ticket = 0;
        check::request request;
        std::optional<sequence> seq{}; ///< a write's
        bool written_down = false;     ///< C.3: so it may have been sent
    };

    /// C.3: what is on its disk when it is killed.
    struct disk {
        epoch seen;
        std::optional<almenara::client::kept_session> session;
    };

    void die_if_due(instant now);
    void die(instant now);
    void note_numbers();
    void check_written_down(sequence seq);
    [[nodiscard]] bool is_written_down(sequence seq) const;
    void keep(almenara::client::keep_order& order);
    void keep(almenara::client::keep_operation& order);
    void remember();
    void ended(const almenara::client::resumed& what, instant now);
    void judge(const pending& one, const almenara::client::answer& answer, instant now);
    void begin_operations(instant now);
    void begin(instant now);
    void take(almenara::client::failover_output output, instant now);
    void send(link_id link, almenara::client::to_server message, instant now);
    void dial(link_id link, const std::string& address);
    void close(link_id link);
    void ended(const almenara::client::ended_errand& what, instant now);

    void check_answer(server_id server, const client_request& asked, const server_answer& answer);
    void check_session(const wire::login& asked, const wire::login_ok& told);
    [[nodiscard]] bool may_be_followed(base::byte_view bytes) const;
    [[nodiscard]] wire::welcome open_door(server_id server, request_id hello) const;
    [[nodiscard]] duration a_deadline();

    client_habits habits_;
    history& history_;
    findings& found_;
    base::generator random_;
    workload ideas_;
    std::optional<almenara::client::failover> core_; ///< always there
    base::generator fate_;
    instant dies_at_ = instant::max();
    disk disk_;
    std::map<sequence, pending> left_; ///< by lives before, in the session that is on the disk

    /// Dials without an answer; nothing: it is not wanted any more, but may be again.
    std::map<server_id, std::optional<link_id>> dialling_;
    std::map<connection_id, line> lines_;
    std::map<link_id, connection_id> connections_;
    std::map<almenara::client::ticket, pending> open_;
    std::map<state::open_nonce, state::session_id> sessions_; ///< what each nonce gave
    /// C.2: those that it was given.
    std::map<device_tag, base::key256> passes_;
    follow_counts follows_;
    instant next_begin_;
    std::optional<instant> finishing_since_;
    std::size_t unserved_ = 0;
    /// What this side of the door has said, and the core has yet to hear.
    std::deque<std::pair<link_id, almenara::client::from_server>> said_here_;

    client_output out_;
};

} // namespace almenara::sim::check
