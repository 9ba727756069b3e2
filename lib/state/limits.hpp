#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace almenara::state {

/// Bounds of C.1 and B.13.
struct limits {
    std::size_t largest_body = 512U << 10U; ///< of an operation
    std::size_t largest_result = 1U << 10U;
    std::uint32_t window = 256; ///< results of a session
    std::size_t operations_in_flight = 64;
    std::size_t bytes_in_flight = 16U << 20U;
    std::size_t pending_entries = 65'536; ///< not confirmed, of all sessions together
    std::size_t pending_bytes = 64U << 20U;
    std::size_t entries_beyond_base = 131'072;   ///< committed, and not in base yet
    std::size_t bytes_beyond_base = 256U << 20U; ///< that the overlay takes, what is pending too
    std::uint64_t sessions = 10'000;             ///< beyond it the oldest idle ones expire
    std::uint64_t most_sessions = 20'000;        ///< none is opened beyond it
    duration idle = std::chrono::hours{24 * 30};
    duration touch = std::chrono::hours{24};
    std::size_t sweep_rows = 256;        ///< sessions that one sweep looks at
    std::size_t swept_at_once = 64;      ///< sessions that one entry touches or expires
    std::size_t oldest_known = 1024;     ///< idle sessions that a whole pass remembers
    std::uint32_t erased_at_once = 2048; ///< rows of results that one entry erases
    std::size_t asked_at_once = 16;      ///< cold rows and ranges, by who looks for idle sessions
};

} // namespace almenara::state
