#pragma once

#include "wire/described.hpp"

#include <cstdint>

namespace almenara::client {

/// The rules that the simulator can switch off one at a time, to prove that its checks would
/// notice (docs/testing.md, mutation check). In what ships, all of them hold and the compiler
/// removes the question.
enum class rule : std::uint8_t {
    announcement_is_authentic, ///< C.2: by its MAC
    announcement_is_a_hint,    ///< C.2: who is named says so itself before it is followed
    seen_by_replies_only,      ///< C.2: no datagram raises the newest epoch seen
};
ALMENARA_DESCRIBE_ENUM(rule,
                       announcement_is_authentic,
                       announcement_is_a_hint,
                       seen_by_replies_only)

#ifdef ALMENARA_MUTATIONS
[[nodiscard]] bool holds(rule r);
/// Only the simulator does this, between runs.
void break_rule(rule r);
void restore_rules();
#else
[[nodiscard]] constexpr bool holds(rule) {
    return true;
}
#endif

} // namespace almenara::client
