#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "state/outcome.hpp"
#include "state/update.hpp"
#include "wire/described.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <vector>

/// Whether everybody can apply what an entry says. The chain of hashes proves that a primary wrote
/// it, not that this version understands it: the primary may be newer, or wrong.
namespace almenara::state {

enum class defect : std::uint8_t {
    no_update,      ///< the payload is none
    unknown_change, ///< what a newer version decided must not be skipped
    bad_key,        ///< empty, or longer than any
    too_large,      ///< a row, or what splices make
    bad_row,        ///< whoever owns the row could not read it
};
ALMENARA_DESCRIBE_ENUM(defect, no_update, unknown_change, bad_key, too_large, bad_row)

/// An entry that is not applied, and behind it nothing is: the state is damaged (B.8).
struct unusable_entry {
    log_index index;
    defect why = defect::no_update;
};
ALMENARA_DESCRIBE(unusable_entry, index, why)

/// `index` is that of the entry.
[[nodiscard]] std::optional<defect> defect_in(const std::vector<change>& changes,
                                              log_index index,
                                              const service& services);

/// The changes of an update that can all be applied.
[[nodiscard]] boost::system::result<std::vector<change>, defect> changes_in(
    base::byte_view payload, log_index index, const service& services);

} // namespace almenara::state
