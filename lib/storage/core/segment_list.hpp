#pragma once

#include "base/error.hpp"
#include "storage/core/scan.hpp"
#include "storage/core/segment.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

/// Parts of the scan: what the headers say of each other.
namespace almenara::storage::core {

/// Behind every entry.
inline constexpr log_index no_cap{std::numeric_limits<std::uint64_t>::max()};

/// A file, or a gap in the numbers: something was there and is not.
struct listed_segment {
    segment_seq seq; ///< of a gap: the first that is missing
    segment_source* bytes = nullptr;
    std::optional<segment_header> header; ///< none: it cannot be read, or is not there
    /// E.3: a later segment made everything behind this index void.
    log_index cap = no_cap;
    /// Bytes behind this are never looked at.
    std::uint64_t limit = 0;

    /// Whether any of its entries can be the log's. The newest one's can.
    [[nodiscard]] bool live() const { return header && (cap == no_cap || cap > first_behind()); }
    [[nodiscard]] log_index first_behind() const { return header->previous.index; }
};

struct segment_list {
    std::vector<listed_segment> live_or_lost; ///< in order, from the newest reset on
    std::vector<listed_segment> void_before;  ///< those that a reset made void (B.8)
    segment_seq newest;                       ///< of all that ever were
    /// The acked mark in `meta`, as far as no later segment made it void.
    log_index acked;
};

[[nodiscard]] result<segment_list> list_segments(const scan_input& input);

} // namespace almenara::storage::core
