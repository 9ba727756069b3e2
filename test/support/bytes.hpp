#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace almenara::test {

/// Bytes as a reader likes them: `from_hex("02 01ff")`. Spaces do not count.
[[nodiscard]] inline base::byte_vector from_hex(std::string_view digits) {
    std::string packed{digits};
    std::erase(packed, ' ');
    auto bytes = base::from_hex(packed);
    if (!bytes) {
        throw std::logic_error("a test has bytes that are not hex: " + packed);
    }
    return *bytes;
}

/// The same bytes with one bit turned.
[[nodiscard]] inline base::byte_vector with_bit_flipped(base::byte_view bytes, std::size_t bit) {
    base::byte_vector damaged{bytes.begin(), bytes.end()};
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    return damaged;
}

} // namespace almenara::test
