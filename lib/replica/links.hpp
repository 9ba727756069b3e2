#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/gate.hpp"
#include "replica/ids.hpp"
#include "replica/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

namespace almenara::replica {

/// One connection, from the moment it exists until it is closed.
struct connection {
    connection_kind kind = connection_kind::control;
    std::optional<server_id> dialled; ///< by this server, to whom
    std::optional<server_id> peer;    ///< once a HELLO or HELLO_OK said so
    link_session session;             ///< once there is one
    instant opened_at;
};

/// When to dial next, one at a time per peer and kind (B.13).
struct dialling {
    bool running = false; ///< until the HELLO is answered, or nothing comes of it
    instant next;
    duration pause{0};
};

/// What this server knows of another one: its open connections and what it last said of itself.
/// B.2: a link session is one incarnation of the link; what is known about the peer's log belongs
/// to it and lives elsewhere under its name.
struct link {
    std::optional<connection_id> control; ///< the one that counts
    std::optional<connection_id> bulk;
    link_session session;
    greeting said;
    bool close_announced = false; ///< RECONNECT came: the end will not be CLOSED
    instant last_heard;
    instant last_sent;
    instant last_office_sent;         ///< of what only a primary says: that alone proves one
    std::optional<instant> closed_at; ///< the last CLOSED
    std::deque<instant> lost;         ///< ends of link sessions, for D.4
    dialling dial_control;
    dialling dial_bulk;
    bool wants_bulk = false;
    link_reject_code rejected{};
    bool was_rejected = false; ///< noted once, not at every try

    [[nodiscard]] bool open() const { return control.has_value(); }
};

/// What has become of a peer's log as far as acks of this link session in this epoch tell (B.1).
struct progress {
    log_index match; ///< durable there
    log_index next;  ///< the first that was not sent
    probe_number probe;
    std::optional<instant> acked_at;
    /// Where the logs agree is not known yet: one APPEND at a time.
    bool probing = true;
    bool acked = false; ///< in this link session: the peer knows the epoch
    instant moved_at;   ///< when the oldest of what is in flight was sent, or match advanced
    /// An APPEND of this turn carries the newest probe and commit index already.
    bool told_in_turn = false;
    log_index told_commit; ///< the commit index that it was sent
    std::optional<instant> probed_at;
    bool over_bulk = false;
    bool out_of_reach = false;            ///< B.8: it lacks what was recycled here
    log_index lacks_from;                 ///< ... from there on
    instant floor_told_at;                ///< by a HEARTBEAT
    std::optional<std::uint64_t> reading; ///< a log_request that is out
    struct flight {
        log_index last;
        std::size_t entries = 0;
        std::size_t bytes = 0;
    };
    std::deque<flight> in_flight;
    std::optional<flight> probe_carried; ///< entries that went with the probe
    std::size_t bytes_in_flight = 0;
    std::size_t entries_in_flight = 0;
    bool sick = false;
    bool draining = false;
    // As it said in this link session and office.
    std::optional<log_index> log_first;
    std::optional<bool> no_space;
    std::optional<std::uint32_t> disk_lag_ms;
};

} // namespace almenara::replica
