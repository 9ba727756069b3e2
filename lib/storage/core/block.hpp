#pragma once

#include "base/bytes.hpp"
#include "storage/core/ids.hpp"
#include "wire/codec.hpp"

#include <cstdint>
#include <optional>

/// A struct in a block of its own, which is all there or not at all: headers of segments, slots of
/// `meta`.
///
///     u64 magic | u16 version | u16 0 | u32 length | u64 xxh3 | body | zeros up to 4 KiB
///
/// Little endian. `length` is the body's; the checksum covers the whole block with its own field
/// taken as zero.
namespace almenara::storage::core {

inline constexpr std::size_t block_prefix = 24;

/// Raised when an older version must not open what a newer one wrote. Fields that an older one may
/// skip are appended without it, as everywhere in the codec.
inline constexpr std::uint16_t format_version = 1;

enum class block_magic : std::uint64_t {
    segment = 0x31474553'4e4d4c41, ///< "ALMNSEG1"
    meta = 0x3154454d'4e4d4c41,    ///< "ALMNMET1"
};

[[nodiscard]] base::byte_vector seal_block(block_magic magic, base::byte_view body);

/// The body of a block whose checksum is right.
struct opened_block {
    std::uint16_t version = 0;
    base::byte_view body;
};
[[nodiscard]] std::optional<opened_block> open_block(block_magic magic, base::byte_view block);

template <wire::described_struct T>
[[nodiscard]] base::byte_vector seal_struct(block_magic magic, const T& value) {
    base::byte_vector body;
    wire::encode(value, body);
    return seal_block(magic, body);
}

} // namespace almenara::storage::core
