#pragma once

#include "base/bytes.hpp"
#include "storage/core/batch.hpp"
#include "storage/core/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace almenara::storage::core {

/// The bytes of a segment's file, read where they are asked for.
class segment_source {
  public:
    virtual ~segment_source() = default;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    /// Fills all of `into`, which lies inside of the file; false if the disk cannot read it.
    [[nodiscard]] virtual bool read(std::uint64_t offset, std::span<std::byte> into) = 0;
};

/// A batch of the segment whose checksums are right.
struct read_batch {
    batch_header header;
    batch content;
    std::uint64_t offset = 0; ///< where it was found
    /// A misdirected write puts a batch where it does not belong.
    [[nodiscard]] bool at_home() const { return header.offset() == offset; }
};

/// Finds batches in one segment.
class segment_walker {
  public:
    /// Bytes at and behind `limit` are never looked at.
    segment_walker(segment_source& source, const segment_header& header, std::uint64_t limit);

    /// The batch at this place, if one is there and right.
    [[nodiscard]] std::optional<read_batch> at(std::uint64_t offset);
    /// Its bytes, with the padding.
    [[nodiscard]] base::byte_view last_bytes() const { return bytes_; }

    /// The first one at or behind this place.
    [[nodiscard]] std::optional<read_batch> next(std::uint64_t offset);

    /// Nothing of this segment was ever written from here on, as far as can be told: in a recycled
    /// file, stale bytes and the remains of a torn body look alike.
    [[nodiscard]] bool blank_from(std::uint64_t offset);

  private:
    /// The window of the file that holds this block; nothing if it cannot be read.
    [[nodiscard]] base::byte_view block(std::uint64_t offset);

    segment_source& source_;
    segment_uuid uuid_;
    bool blank_;
    std::uint64_t limit_;
    base::byte_vector bytes_;
    base::byte_vector window_;
    std::uint64_t window_at_ = 0;
};

} // namespace almenara::storage::core
