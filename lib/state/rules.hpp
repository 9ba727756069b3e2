#pragma once

#include "base/rules.hpp"
#include "wire/described.hpp"

#include <cstdint>

namespace almenara::state {

/// What can be switched off, see base/rules.hpp.
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

using base::holds;

} // namespace almenara::state
