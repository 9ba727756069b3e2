#pragma once

#include "base/rules.hpp"
#include "wire/described.hpp"

#include <cstdint>

namespace almenara::client {

/// What can be switched off, see base/rules.hpp.
enum class rule : std::uint8_t {
    announcement_is_authentic, ///< C.2: by its MAC
    announcement_is_a_hint,    ///< C.2: who is named says so itself before it is followed
    seen_by_replies_only,      ///< C.2: no datagram raises the newest epoch seen
};
ALMENARA_DESCRIBE_ENUM(rule,
                       announcement_is_authentic,
                       announcement_is_a_hint,
                       seen_by_replies_only)

using base::holds;

} // namespace almenara::client
