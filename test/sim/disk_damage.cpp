#include "base/little_endian.hpp"
#include "sim/disk.hpp"

#include <algorithm>
#include <array>
#include <vector>

/// What goes wrong with the bytes of a disk. Only what can be known to be wrong: a rotten last
/// batch that no later one proves cannot be told from a write that was never synced (E.3).
namespace almenara::sim {

using namespace storage::core;

namespace {

/// Of a batch's header (E.3).
constexpr std::uint64_t length_at = 12;

} // namespace

/// One bit, or a block that was never written or holds something else.
void disk::spoil(const file_name& file, std::uint64_t offset, std::uint64_t length) {
    if (luck_.one_in(2)) {
        device_.flip(file, 8 * offset + luck_.below(8 * length));
    } else {
        base::byte_vector block(block_size);
        if (luck_.one_in(2)) {
            std::generate(block.begin(), block.end(),
                          [this] { return static_cast<std::byte>(fates_.below(256)); });
        }
        device_.damage(file, offset, block);
    }
}

bool disk::rot_batch(log_index index) {
    const auto found = map().find(index);
    if (hurt() || !found || index > last_) {
        return false;
    }
    const place at{.segment = found->segment, .offset = found->place.offset};
    if (at >= newest_) {
        return false;
    }
    const file_name file = segment_file_name(at.segment);
    // The padding behind it is nobody's.
    const auto length =
        base::get_fixed<std::uint32_t>(device_.bytes(file).data() + at.offset + length_at);
    spoil(file, at.offset, length);
    hurt_behind(file, at.offset);
    return true;
}

bool disk::rot_header(log_index index) {
    const auto found = map().find(index);
    if (hurt() || !found || index > last_) {
        return false;
    }
    const file_name file = segment_file_name(found->segment);
    spoil(file, 0, block_size);
    hurt_behind(file, 0);
    return true;
}

bool disk::rot_slot() {
    if (hurt() || !planner_ || in_flight_ || failed_) {
        return false;
    }
    // The other slot says the same, and a start repairs it.
    spoil({.kind = file_kind::meta}, luck_.below(meta_slots) * block_size, block_size);
    return true;
}

/// Over an older batch of its segment, or so far behind that nothing is written there before it was
/// noticed. What stands where it belongs is what stood there before.
bool disk::misdirect(write_blocks& batch) const {
    constexpr std::uint64_t first = block_size;
    const bool exists = batch.file.kind == file_kind::segment && device_.has(batch.file);
    if (!exists || planner_->sealed()) {
        return false;
    }
    const std::uint64_t size = device_.bytes(batch.file).size();
    const std::uint64_t end = batch.offset + batch.bytes.size();
    if (end + 2 * habits_.log.batch_bytes + batch.bytes.size() <= size) {
        batch.offset = size - batch.bytes.size();
        return true;
    }
    if (first + batch.bytes.size() <= batch.offset) {
        batch.offset = first;
        return true;
    }
    return false;
}

} // namespace almenara::sim
