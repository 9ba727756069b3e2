#pragma once

#include "base/ids.hpp"
#include "base/strong.hpp"
#include "replica/entry.hpp"
#include "wire/described.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

/// Words of the log's files (E.3).
namespace almenara::storage::core {

/// Number of a segment, from 1, dense. It is the segment's name. 0 is none.
using segment_seq = base::strong<struct segment_seq_tag, std::uint64_t>;

/// Random, new for each use of a file: stale bytes of a recycled one never parse.
using segment_uuid = base::strong<struct segment_uuid_tag, std::array<std::byte, 16>>;

/// Of one boot of the machine, as the kernel names it.
using boot_id = base::strong<struct boot_id_tag, std::array<std::byte, 16>>;

/// What is written at once, padded: no sector is ever written twice with other content.
inline constexpr std::size_t block_size = 4096;

[[nodiscard]] constexpr std::uint64_t up_to_block(std::uint64_t size) {
    return (size + block_size - 1) / block_size * block_size;
}

/// The newest entry known to be synced, and in which segment that was the log's end: what a later
/// segment cuts is void in older marks too (E.3).
struct acked_mark {
    almenara::epoch epoch;
    log_index index;
    segment_seq segment;
};
ALMENARA_DESCRIBE(acked_mark, epoch, index, segment)

} // namespace almenara::storage::core
