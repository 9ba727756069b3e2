#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "replica/entry.hpp"
#include "storage/core/ids.hpp"
#include "wire/described.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// E.3: what one write and one sync bring to the disk. A batch is written only after the sync of
/// the one before it returned.
///
///     u32 magic | u32 uuid | u32 block | u32 length | u64 first | u64 last | u32 count | u32 0 |
///     u64 durable epoch | u64 durable index | u64 xxh3 of the body | u64 xxh3 of the above | body
///     | zeros up to the next 4 KiB
///
/// Little endian. `uuid` is the beginning of the segment's; the rest of it seeds the body's
/// checksum. `block` is where in the segment the batch belongs. `length` counts header and body.
/// The body is records: one byte that says which, and a struct: 1 an entry, 2 a commit_hint.
namespace almenara::storage::core {

inline constexpr std::size_t batch_header_size = 72;

/// The committed index, as far as it was known when the batch was written. Nothing waits for it.
struct commit_hint {
    log_index index;
};
ALMENARA_DESCRIBE(commit_hint, index)

struct batch_header {
    std::uint32_t block = 0;
    std::uint32_t length = 0;
    log_index first;
    log_index last; ///< the one before `first` if there are no entries
    std::uint32_t count = 0;
    /// The last entry known to be synced before this was written.
    replica::log_end durable;
    std::uint64_t body_checksum = 0;

    [[nodiscard]] std::uint64_t offset() const { return std::uint64_t{block} * block_size; }
    [[nodiscard]] std::uint64_t padded() const { return up_to_block(length); }
    /// An empty batch says that everything before it is on the disk: rot of what is behind the
    /// last sync can be told from a torn write.
    [[nodiscard]] bool seals() const { return last < first && durable.index == last; }
};

struct batch {
    std::vector<replica::entry_ptr> entries;
    std::optional<log_index> commit;
};

/// What becomes a batch.
struct batch_content {
    segment_uuid uuid;
    std::uint64_t offset = 0;
    log_index first; ///< of the entries; the next one if there are none
    std::span<const replica::entry_ptr> entries;
    replica::log_end durable;
    std::optional<log_index> commit;
};

/// With its padding.
[[nodiscard]] base::byte_vector encode_batch(const batch_content& content);

/// How many bytes an entry takes in a batch.
[[nodiscard]] std::size_t record_size(const replica::entry& e);

/// Of a batch of this segment; nothing if its checksum is wrong. `at` begins with the header.
[[nodiscard]] std::optional<batch_header> decode_batch_header(base::byte_view at,
                                                              const segment_uuid& uuid);

/// Whether these bytes begin as a batch of this segment does, right or wrong.
[[nodiscard]] bool begins_batch(base::byte_view at, const segment_uuid& uuid);

/// Its records; nothing if they are not all there and right. The chain is not looked at.
[[nodiscard]] std::optional<batch> decode_batch(const batch_header& header,
                                                base::byte_view whole,
                                                const segment_uuid& uuid);

} // namespace almenara::storage::core
