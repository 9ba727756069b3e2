#pragma once

#include "replica/entry.hpp"
#include "storage/core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace almenara::storage::core {

/// A batch with entries, and which of them are still the log's.
struct batch_place {
    log_index first;
    log_index last;
    std::uint64_t offset = 0;
    std::uint64_t length = 0; ///< with its padding
};

/// A segment's file and what of it is the log's.
struct mapped_segment {
    segment_seq seq;
    segment_uuid uuid;
    std::uint64_t size = 0; ///< of the file
    log_index previous;     ///< its entries begin behind this one
    bool readable = true;   ///< false: nothing in it is the log's
    std::vector<batch_place> batches;
};

/// B.8: what stays behind the state although the state has it, so that a server that was away for
/// minutes needs only entries.
struct retention {
    std::uint64_t bytes = std::uint64_t{256} << 20U;
    std::uint64_t entries = 100'000;
    std::uint64_t most_bytes = std::uint64_t{1} << 30U; ///< the count of entries asks for no more
};

/// The same with another size in bytes, and four times that at most.
[[nodiscard]] constexpr retention retention_of(std::uint64_t bytes) {
    retention kept;
    kept.bytes = bytes;
    kept.most_bytes = 4 * bytes;
    return kept;
}

/// Up to where nobody needs the log any more.
struct recycling_limits {
    log_index floor;   ///< lowest durable match of all data voters; 0 while one is unknown
    log_index flushed; ///< the state has it on the disk
    retention kept;
};

/// Where in which file each entry of the log is.
class log_map {
  public:
    /// A new segment is the newest. What older ones have behind `previous` is void from now on; if
    /// it resets the log, all they have.
    void open(mapped_segment segment, bool resets);
    /// A batch of the newest segment.
    void add(batch_place place);
    /// What is behind `last` cannot be used, although no segment says so yet.
    void cut_behind(log_index last);

    struct found {
        segment_seq segment;
        segment_uuid uuid;
        batch_place place;
    };
    [[nodiscard]] std::optional<found> find(log_index index) const;

    [[nodiscard]] const std::deque<mapped_segment>& segments() const { return segments_; }

    /// The oldest segment, if nobody needs anything of it.
    [[nodiscard]] std::optional<mapped_segment> oldest_if_free(
        const recycling_limits& limits) const;
    void forget_oldest() { segments_.pop_front(); }

  private:
    std::deque<mapped_segment> segments_;
};

} // namespace almenara::storage::core
