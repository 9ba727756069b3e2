#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace almenara::replica {

/// Timers (B.13). What is not said here is said there.
struct timers {
    duration heartbeat = std::chrono::milliseconds{50};
    /// B.5.7: a new commit index waits so long for an APPEND that carries it.
    duration commit_told = std::chrono::milliseconds{1};
    duration link_ping = std::chrono::milliseconds{100};
    duration suspect = std::chrono::milliseconds{400};
    duration check_quorum = std::chrono::milliseconds{350};
    duration gap_rearm = std::chrono::milliseconds{50};
    duration gap_paused = std::chrono::milliseconds{100};
    duration start_jitter = std::chrono::milliseconds{50};
    duration reply_wait = std::chrono::milliseconds{30};
    duration refuse_pause = std::chrono::milliseconds{50};
    duration refuse_pause_most = std::chrono::milliseconds{400};
    duration refuse_memory = std::chrono::seconds{1};
    duration fresh_close = std::chrono::milliseconds{20};
    duration ask_again_least = std::chrono::milliseconds{2};
    duration ask_again_most = std::chrono::milliseconds{4};
    duration defer_wait = std::chrono::milliseconds{150};
    duration promise_wait = std::chrono::milliseconds{150};
    duration promise_wait_most = std::chrono::seconds{3};
    duration backoff_least = std::chrono::milliseconds{20};
    duration backoff_most = std::chrono::milliseconds{80};
    duration backoff_cap = std::chrono::milliseconds{400};
    duration pull_idle = std::chrono::milliseconds{500};
    duration dial = std::chrono::milliseconds{50};
    duration dial_most = std::chrono::seconds{1};
    duration whois_retry = std::chrono::seconds{1};
    duration resend = std::chrono::seconds{2};
    duration floor = std::chrono::seconds{1};
    duration sync_drop = std::chrono::milliseconds{200};
    duration sync_join = std::chrono::milliseconds{100};
    duration sync_lag = std::chrono::milliseconds{50};
    duration flap_window = std::chrono::seconds{10};
    duration flap_pause = std::chrono::seconds{5};
    duration disk_stall = std::chrono::milliseconds{500};
    duration handover_no_target = std::chrono::milliseconds{300};
    duration handover_abort = std::chrono::milliseconds{500};
    duration handover_pause = std::chrono::seconds{10};
    duration handover_exit = std::chrono::seconds{3};
};

/// As much of the log as one turn looks at.
struct entry_bounds {
    std::size_t entries = std::numeric_limits<std::size_t>::max();
    std::size_t bytes = std::numeric_limits<std::size_t>::max();
};

/// Bounds (B.13).
struct limits {
    std::size_t in_flight_bytes = 8U << 20U;
    std::size_t in_flight_entries = 4096;
    std::size_t append_bytes = 512U << 10U; ///< of one frame; a control frame takes 1 MiB
    std::size_t chunk_bytes = 256U << 10U;
    std::size_t entry_cache_bytes = 64U << 20U;
    std::size_t link_sessions_lost = 3; ///< within flap_window: kept out of the sync set (D.4)
    std::size_t reads_waiting = 1U << 16U;
    /// Of committed entries, to the state in one output: it looks at each of them, and the links
    /// must not wait for that (D.3). What a primary executed itself it has seen.
    entry_bounds handed_out{.entries = 128, .bytes = 256U << 10U};
    std::size_t handed_out_own = 4096;
    std::uint64_t free_space = std::uint64_t{256} << 20U; ///< below it a server has NO_SPACE
};

struct settings {
    replica::timers timers;
    replica::limits limits;
};

} // namespace almenara::replica
