#pragma once

#include "wire/described.hpp"

#include <cstdint>

namespace almenara::state {

/// The rules that the simulator can switch off one at a time, to prove that its checks would
/// notice (docs/testing.md, mutation check). In what ships, all of them hold and the compiler
/// removes the question.
enum class rule : std::uint8_t {
    dedup_row_in_update,          ///< C.1: the result is written by the same entry
    overlay_dropped_after_office, ///< B.4: the pending part is dropped
    refusal_is_entry,             ///< B.5.2
    attachment_newest_only,       ///< C.1: only the newest ATTACH may operate
    overlay_kept_for_inputs,      ///< architecture 2: while rows of base are on their way
};
ALMENARA_DESCRIBE_ENUM(rule,
                       dedup_row_in_update,
                       overlay_dropped_after_office,
                       refusal_is_entry,
                       attachment_newest_only,
                       overlay_kept_for_inputs)

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

} // namespace almenara::state
