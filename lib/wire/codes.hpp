#pragma once

#include "wire/described.hpp"

#include <cstdint>

namespace almenara::wire {

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
    uncertain = 13,   ///< said by the client's library only
    cancelled = 14,   ///< said by the client's library only
    unsupported = 15, ///< the server does not know the request
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
                       cancelled,
                       unsupported)

} // namespace almenara::wire
