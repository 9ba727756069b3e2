#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

/// What fuzz-frame makes of its bytes; shared with the tool that writes its seeds.
namespace almenara::fuzz {

/// One byte of options, one that seeds the cuts, then the stream.
struct frame_input {
    /// The fuzzer cannot guess a checksum: with this option they are made right before the stream
    /// is read, and what lies behind them is reached.
    static constexpr std::byte right_checksums{1};
    /// The limit of a connection that has logged in, else the one before.
    static constexpr std::byte logged_in{2};

    static constexpr std::size_t prefix = 2;

    std::byte options{};
    std::uint8_t cuts = 0;
    base::byte_vector stream;
};

} // namespace almenara::fuzz
