#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/gate.hpp"
#include "replica/ids.hpp"
#include "replica/links.hpp"
#include "replica/log_time.hpp"
#include "replica/messages.hpp"
#include "replica/sync_set.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// B.1: what a server is, with what it needs only while it is that. Every role has a running timer
/// but BACKUP with a live primary, which has its suspicion.
namespace almenara::replica {

/// Belongs to no cluster yet (B.12.3).
struct boot {
    std::optional<std::uint64_t> nonce; ///< of the INIT that this server leads
    std::set<server_id> acked;
    instant retry_at;
    std::optional<instant> ready_at; ///< since when entry 1 is on the own disk
    std::optional<hash64> refused;   ///< an entry 1 that was offered; noted once
};

struct backup {
    /// When to run if no primary has shown itself by then.
    instant election_at;
    election_reason reason = election_reason::silent;
    bool paused = false; ///< after a REFUSE: the wait ends on news
};

/// Asks the others whether to run (B.6, E6).
struct prospect {
    enum class doing : std::uint8_t { asking, deferring, backing_off, pulling, syncing };

    replica::generation generation;
    election_reason reason = election_reason::silent;
    doing phase = doing::asking;
    instant deadline;
    std::map<server_id, answer> answers;

    struct pull {
        server_id source;
        log_end promised; ///< how far the source said it goes
        log_point asked;  ///< where the outstanding FETCH begins
    };
    std::optional<pull> pulling;
};

/// Has claimed an epoch and waits for promises. What it claimed outlives the role: see claimed.
struct candidate {
    instant deadline;
};

/// An epoch that this server claimed. A PROMISE that comes late still counts (B.6), so this stays
/// when the role is PROSPECT again, until the epoch changes.
struct claimed {
    almenara::epoch epoch;
    replica::rank rank;
    std::optional<replica::permit> permit;
    bool again = false; ///< B.10.4: claimed once more above a higher epoch
    std::set<server_id> granted;
    std::set<server_id> denied;
    std::vector<wall_time> clocks; ///< of those who promised, for log time (B.4)
};

/// B.10: giving the office to a successor.
struct handing_over {
    resign_reason why = resign_reason::handover;
    instant began;
    std::optional<server_id> wanted; ///< nobody else will do
    std::optional<server_id> target; ///< who was asked
    std::optional<replica::permit> permit;
    instant asked;
    std::set<server_id> tried;
};

struct waiting_read {
    read_ticket ticket;
    probe_number probe;
    log_index at_least; ///< the commit index when it came
};

struct primary {
    almenara::epoch epoch;
    log_index epoch_start;
    instant since;
    std::map<server_id, progress> voters; ///< the others
    replica::sync_set sync;
    probe_number probe; ///< the newest that was sent
    std::deque<waiting_read> reads;
    log_index confirmed;  ///< B.5.6, in this term of office
    bool excused = false; ///< silence of the majority was, once since the last ack (D.3)
    log_clock log_time;
    std::optional<handing_over> leaving;
    /// B.10: for a disk nobody is asked before that, since nobody took over or it was just given.
    instant stays_until;
    instant reach_refused_until; ///< nobody took over for the sake of who is out of reach
    bool heartbeat_now = false;
    std::optional<instant> commit_untold_since; ///< not everybody was sent the commit index
    /// CORRUPT answers by index: who named which hash.
    std::map<log_index, std::map<server_id, hash64>> accused;
    /// log_request -> who complained, and of what.
    std::map<std::uint64_t, std::pair<server_id, log_index>> corrupt_reads;
};

using role = std::variant<boot, backup, prospect, candidate, primary>;

} // namespace almenara::replica
