#pragma once

#include "wire/described.hpp"

#include <cstdint>

namespace almenara::state {

/// How an operation or a question ended (C.0). The numbers are in logs and on disks.
enum class result_code : std::uint8_t {
    ok = 0,
    conflict = 1,
    not_found = 2,
    forbidden = 3,
    unauthenticated = 4,
    invalid = 5,
    quota = 6,
    too_large = 7,
    busy = 8,
    no_space = 9,
    retry_elsewhere = 10, ///< never means that it did not happen
    stale = 11,           ///< the sequence is below first_unacked
    session_expired = 12,
    uncertain = 13, ///< said by the client's library only
    cancelled = 14, ///< said by the client's library only
};
ALMENARA_DESCRIBE_ENUM(result_code,
                       ok,
                       conflict,
                       not_found,
                       forbidden,
                       unauthenticated,
                       invalid,
                       quota,
                       too_large,
                       busy,
                       no_space,
                       retry_elsewhere,
                       stale,
                       session_expired,
                       uncertain,
                       cancelled)

/// B.5.2: whatever depends on state is an entry, refusals included, and is answered when it is
/// confirmed. These do not: they follow from the request alone, or record nothing.
[[nodiscard]] constexpr bool leaves_entry(result_code code) {
    switch (code) {
    case result_code::ok:
    case result_code::conflict:
    case result_code::not_found:
    case result_code::forbidden:
    case result_code::quota:
        return true;
    case result_code::unauthenticated:
    case result_code::invalid:
    case result_code::too_large:
    case result_code::busy:
    case result_code::no_space:
    case result_code::retry_elsewhere:
    case result_code::stale:
    case result_code::session_expired:
    case result_code::uncertain:
    case result_code::cancelled:
        break;
    }
    return false;
}

} // namespace almenara::state
