#pragma once

#include "base/rules.hpp"
#include "wire/described.hpp"

#include <cstdint>

namespace almenara::storage::core {

/// What can be switched off, see base/rules.hpp.
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

using base::holds;

} // namespace almenara::storage::core
