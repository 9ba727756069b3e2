#pragma once

#include <cstdint>

namespace almenara::cli {

/// What scripts see. The numbers are a promise.
enum class exit_code : std::uint8_t {
    ok = 0,
    failed = 1,
    usage = 2,
    not_found = 3,
    conflict = 4,    ///< or a precondition that does not hold
    unavailable = 5, ///< no server, no primary or no quorum within the time
    denied = 6,
    unknown_outcome = 7, ///< timed out, and it may have happened
    interrupted = 130,
};

} // namespace almenara::cli
