#pragma once

#include "wire/codes.hpp"

namespace almenara::state {

using wire::result_code;

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
    case result_code::unsupported:
        break;
    }
    return false;
}

} // namespace almenara::state
