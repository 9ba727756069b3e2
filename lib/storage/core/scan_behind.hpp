#pragma once

#include "replica/entry.hpp"
#include "storage/core/segment_list.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace almenara::storage::core {

/// Where the log could not be followed any further.
struct log_break {
    std::size_t segment = 0; ///< in segment_list::live_or_lost
    std::uint64_t offset = 0;
};

struct behind_break {
    /// E.3: a batch is written only after the sync of the one before it returned, so a valid one
    /// proves that the invalid one was durable.
    bool written = false;
    /// B.8: the log's true end, if everything behind the break parses up to a seal.
    std::optional<replica::log_end> end;
};

[[nodiscard]] behind_break look_behind(const segment_list& list, const log_break& at);

} // namespace almenara::storage::core
