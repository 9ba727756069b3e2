#include "storage/core/block.hpp"

#include "base/check.hpp"
#include "base/hash.hpp"
#include "base/little_endian.hpp"

#include <algorithm>

namespace almenara::storage::core {

namespace {

constexpr std::size_t version_at = 8;
constexpr std::size_t length_at = 12;
constexpr std::size_t checksum_at = 16;

std::uint64_t checksum_of(base::byte_vector block) {
    base::put_fixed<std::uint64_t>(block.data() + checksum_at, 0);
    return base::xxh3_64(block);
}

} // namespace

base::byte_vector seal_block(block_magic magic, base::byte_view body) {
    ALMENARA_CHECK(body.size() <= block_size - block_prefix);
    base::byte_vector block(block_size);
    base::put_fixed(block.data(), static_cast<std::uint64_t>(magic));
    base::put_fixed(block.data() + version_at, format_version);
    base::put_fixed(block.data() + length_at, static_cast<std::uint32_t>(body.size()));
    std::copy(body.begin(), body.end(), block.begin() + block_prefix);
    base::put_fixed(block.data() + checksum_at, checksum_of(block));
    return block;
}

std::optional<opened_block> open_block(block_magic magic, base::byte_view block) {
    if (block.size() != block_size ||
        base::get_fixed<std::uint64_t>(block.data()) != static_cast<std::uint64_t>(magic) ||
        base::get_fixed<std::uint64_t>(block.data() + checksum_at) !=
            checksum_of({block.begin(), block.end()})) {
        return std::nullopt;
    }
    const auto length = base::get_fixed<std::uint32_t>(block.data() + length_at);
    if (length > block_size - block_prefix) {
        return std::nullopt;
    }
    return opened_block{.version = base::get_fixed<std::uint16_t>(block.data() + version_at),
                        .body = block.subspan(block_prefix, length)};
}

} // namespace almenara::storage::core
