#include "wire/codec.hpp"

#include <fmt/format.h>

namespace almenara::wire {

namespace {

/// What small messages may take whatever their size, so that a few empty strings never count.
constexpr std::size_t free_memory = 4096;

} // namespace

reader::reader(base::byte_view bytes, decode_limits limits)
    : rest_(bytes),
      memory_left_(bytes.size() * limits.growth + free_memory),
      depth_left_(limits.depth) {}

void reader::fail(errc code) {
    if (!failure_) {
        failure_ = code;
    }
    rest_ = {};
}

std::uint64_t reader::long_varint() {
    constexpr unsigned last_shift = 63;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= last_shift; shift += 7) {
        const auto byte = this->byte();
        if (failed()) {
            return 0;
        }
        const bool overflows = shift == last_shift && byte > 1;
        // One value, one encoding: otherwise equal messages could have unequal hashes.
        const bool longer_than_needed = shift > 0 && byte == 0;
        if (overflows || longer_than_needed) {
            fail(errc::malformed);
            return 0;
        }
        value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    fail(errc::malformed);
    return 0;
}

error decode_error(std::string_view type, errc code) {
    std::string_view why = "the bytes cannot be a value of this type";
    if (code == errc::truncated) {
        why = "the bytes end too early";
    } else if (code == errc::too_large) {
        why = "a count is too large for its message";
    } else if (code == errc::too_deep) {
        why = "structs are nested too deep";
    }
    return {code, fmt::format("reading {}: {}", type, why)};
}

} // namespace almenara::wire
