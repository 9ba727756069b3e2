#pragma once

#include "wire/described.hpp"

#include <cstdint>

namespace almenara::storage::core {

/// Rules that a test can switch off one at a time, to prove that its checks would notice
/// (docs/testing.md, mutation check). In what ships, all of them hold and the compiler removes the
/// question.
enum class rule : std::uint8_t {
    both_slots,         ///< B.1: a change of `meta` goes to one slot, then to the other
    start_rewrites,     ///< B.1, E.1: what a start read is written and synced before it is believed
    void_suffix,        ///< E.3: marks of a suffix that was cut prove nothing
    header_is_no_spare, ///< E.3: an active name whose header cannot be read is damage
    proof_of_durable,   ///< E.3: a valid batch behind an invalid one is damage, not a torn tail
    base_from_state,    ///< B.8: a log that does not reach its state begins anew behind it
};
ALMENARA_DESCRIBE_ENUM(rule,
                       both_slots,
                       start_rewrites,
                       void_suffix,
                       header_is_no_spare,
                       proof_of_durable,
                       base_from_state)

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

} // namespace almenara::storage::core
