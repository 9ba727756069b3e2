#pragma once

#include "base/bytes.hpp"
#include "replica/entry.hpp"
#include "storage/core/batch.hpp"
#include "storage/core/segment_walker.hpp"

#include <optional>
#include <span>

namespace almenara::storage::core {

/// B.4: whether each of these entries follows the one before it, by index, epoch and hash. Gives
/// the last point at or below `cap`; nothing if one does not follow.
[[nodiscard]] std::optional<replica::log_point> chain_through(
    const replica::log_point& before,
    std::span<const replica::entry_ptr> entries,
    log_index cap,
    base::byte_vector& scratch);

/// Where the log is behind a batch that goes on behind `before` and is where it belongs. A batch
/// without entries goes on where it was written.
[[nodiscard]] std::optional<replica::log_point> goes_on(const replica::log_point& before,
                                                        const read_batch& found,
                                                        log_index cap,
                                                        base::byte_vector& scratch);

} // namespace almenara::storage::core
