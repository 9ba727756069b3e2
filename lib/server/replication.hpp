#pragma once

#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "state/log_record.hpp"
#include "state/needs.hpp"
#include "state/requests.hpp"
#include "wire/members.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace almenara::server {

/// One probe round (B.9), for one reader.
using probe_ticket = base::strong<struct probe_ticket_tag, std::uint64_t>;

/// What is being fetched for one request (architecture 2).
using fetch_ticket = base::strong<struct fetch_ticket_tag, std::uint64_t>;

/// B.5.6: the results of everything up to here may leave.
struct confirmation {
    log_index last;
    std::uint8_t durable_on = 0;
    std::uint8_t voters = 0;
};

/// How much of the own log is looked at in one turn of who enters office with a long one. At least
/// one entry is.
struct log_share {
    std::size_t entries = 128;
    std::size_t bytes = 256U << 10U;
};

/// A piece of the own log. What its entries say lives until the next step of the core.
struct log_piece {
    std::vector<state::log_record> entries;
    bool is_last = true; ///< it reaches the end of the log
};

/// What a server believes of the world now.
struct standing {
    server_id self;
    almenara::epoch epoch;
    std::optional<wire::member_address> primary; ///< the one it knows, itself included
    log_index commit;
    instant primary_heard; ///< when the primary was last heard; now: it is this one
    bool may_grow = true;  ///< E.1
};

/// What no answer shows. Counters and watchers may care; nothing is decided by it.
struct sighting {
    enum class kind : std::uint8_t {
        session_attached,  ///< ATTACH_OK leaves
        operation_taken,   ///< a new one or a repeat
        repeat_waits,      ///< the same operation is on its way already
        repeat_found,      ///< it was done before
        read_served,       ///< after its probe round
        whois_held,        ///< until a primary is known
        held_for_handover, ///< B.10
        waits_for_rows,    ///< that are not in memory
        waits_in_line,     ///< behind a request of the same session that does
        waiters_sent_away, ///< the office ended before their results were confirmed
    };
    kind what = kind::session_attached;
    connection_id connection;
    session_id session;
};

/// What the reception needs of the replication core and of the process around it. Every call is
/// about the moment of the turn that runs.
class replication {
  public:
    replication() = default;
    replication(const replication&) = delete;
    replication& operator=(const replication&) = delete;

    [[nodiscard]] virtual instant now() const = 0;
    /// Valid until the next call of anything here.
    [[nodiscard]] virtual const standing& here() const = 0;

    /// Where the next proposal goes; nothing while none is accepted.
    [[nodiscard]] virtual std::optional<state::slot> next_slot() const = 0;
    /// What this term of office confirmed (B.5.2).
    [[nodiscard]] virtual log_index confirmed_upto() const = 0;
    /// Nobody can guess them: a session id is made of them.
    [[nodiscard]] virtual state::random_bytes random() = 0;

    /// The own log from there on, which is committed or not: for a new office.
    [[nodiscard]] virtual log_piece own_log(log_index from, const log_share& most) const = 0;

    /// It takes exactly the place that next_slot() gave.
    virtual void propose(state::proposed&& entry) = 0;
    /// A probe round, answered by reception::readable() or refused_read(). `seen`: a higher epoch
    /// that a client claims to know (B.5.1); 0: none. Out of office nothing answers it, but for
    /// such an epoch the other servers are asked who rules (C.0).
    virtual void probe(probe_ticket ticket, almenara::epoch seen) = 0;

    /// Rows of base that are not in memory, answered by reception::fetched(), in any order. They
    /// are read from now on: whenever that is, it is good (decision 017).
    virtual void fetch(fetch_ticket ticket, state::needs wanted) = 0;

    virtual void saw(const sighting&) {}

  protected:
    ~replication() = default;
};

} // namespace almenara::server
