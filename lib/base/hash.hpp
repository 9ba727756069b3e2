#pragma once

#include "base/bytes.hpp"
#include "base/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace almenara::base {

/// Checksum against accidents, not against attackers: frames, log records, the log's chain.
[[nodiscard]] std::uint64_t xxh3_64(byte_view bytes, std::uint64_t seed = 0);

/// Names content: equal hash, equal content.
using sha256_digest = std::array<std::byte, 32>;
[[nodiscard]] sha256_digest sha256(byte_view bytes);

using key256 = secret<std::array<std::byte, 32>>;

/// Keyed BLAKE2b: only who holds the key can make or check it.
using mac256 = std::array<std::byte, 32>;
using mac128 = std::array<std::byte, 16>;
[[nodiscard]] mac256 blake2b_256(const key256& key, byte_view bytes);
[[nodiscard]] mac128 blake2b_128(const key256& key, byte_view bytes);

/// Compares in a time that does not depend on where the difference is.
[[nodiscard]] bool equal_in_constant_time(byte_view a, byte_view b);

/// A key for one purpose out of a master key; `purpose` is exactly eight characters (libsodium's
/// context), and keys of different purposes or numbers tell nothing about each other.
[[nodiscard]] key256 derive_key(const key256& master,
                                std::string_view purpose,
                                std::uint64_t number = 0);

} // namespace almenara::base
