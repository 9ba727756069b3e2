#pragma once

#include "replica/config.hpp"
#include "replica/settings.hpp"
#include "server/replication.hpp"
#include "sim/agenda.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/god_view.hpp"
#include "sim/check/ledger.hpp"
#include "sim/check/liveness.hpp"
#include "sim/coverage.hpp"
#include "sim/disk.hpp"
#include "sim/story.hpp"
#include "state/limits.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>

namespace almenara::sim {

/// What is so for all servers of a run, and changes while it goes on.
struct habits {
    network_habits net;
    disk_habits disk;
    log_habits log;
    /// Logs may be hurt. A server whose log begins anew behind its state needs what 256 MiB of
    /// retention have in reality; here all states are waited for instead.
    bool logs_are_hurt = false;
    /// One in so many starts ends in the middle.
    std::uint64_t end_in_start_one_in = 16;
    /// The loop of one in so many turns comes late by up to `turn_late`.
    std::uint64_t late_turn_one_in = 8;
    duration late_turn = std::chrono::milliseconds{2};
    duration late_tick = std::chrono::milliseconds{5};
    latency flush{std::chrono::milliseconds{1}, std::chrono::milliseconds{50}};
    /// Of so many rows of the state one is not in memory, and comes so late: read at some moment,
    /// and told at another one.
    std::uint64_t cold_row_one_in = 12;
    latency row_read{std::chrono::microseconds{300}, std::chrono::milliseconds{200}};
    latency row_told{std::chrono::microseconds{100}, std::chrono::milliseconds{100}};
    duration restart_least{0};
    duration restart_most = std::chrono::seconds{10};
    std::uint64_t clock_rate_least = 900; ///< thousandths
    std::uint64_t clock_rate_most = 1100;
    /// Of so many frames one is really encoded and decoded.
    std::uint64_t encode_one_in = 16;
    /// So many of a hundred chunks of a pull come when it is too late for them.
    std::uint64_t late_chunk_percent = 0;
    /// A run has lines that lose up to so many of a thousand segments.
    std::uint64_t most_lost_per_mille = 0;
    /// Of so many turns with clients' requests in them one sweeps the sessions (C.1).
    std::uint64_t sweep_one_in = 10;
    state::limits state{};
    almenara::server::log_share looked_at_once{}; ///< by who enters office
    /// Of the cores, and of the first start.
    replica::settings core{};
    replica::confirm_policy confirm = replica::confirm_policy::sync_set;
    /// Of so many runs one has clients of which each knows one way to a new primary only (C.3), or
    /// some of them.
    std::uint64_t lone_ways_one_in = 4;
    /// Of so many datagrams that reach a client one makes somebody forge another.
    std::uint64_t forged_one_in = 3;
    std::uint16_t highest_priority = 0; ///< servers get one up to here
};

/// Whom voters promised an epoch first, to see when they do not agree.
using first_promises = std::map<almenara::epoch, server_id>;

/// Everything that a server of the simulator has around it.
struct scene {
    agenda& time;
    network& net;
    const sim::habits& habits;
    check::findings& found;
    check::god_view& god;
    check::ledger& ledger;
    check::liveness& liveness;
    story& tale;
    coverage& seen;
    first_promises& promises;
    /// What each server that has its disk has flushed of the state.
    std::map<server_id, log_index> flushed{};
    std::uint64_t fetches = 0; ///< of rows, so that each has another number
    /// A chunk of a pull is about to be sent, and shall come late.
    std::function<void(server_id from, server_id to)> late_chunk{};

    /// Below it nobody needs an entry, whatever happens to logs: as long as there are no snapshots.
    [[nodiscard]] log_index flushed_by_all() const {
        log_index lowest{flushed.empty() ? log_index{} : flushed.begin()->second};
        for (const auto& [server, upto] : flushed) {
            lowest = std::min(lowest, upto);
        }
        return lowest;
    }
};

} // namespace almenara::sim
