#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::base {

using byte_view = std::span<const std::byte>;
using byte_vector = std::vector<std::byte>;

[[nodiscard]] inline byte_view as_bytes(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

[[nodiscard]] inline std::string_view as_text(byte_view bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hex, two digits a byte.
[[nodiscard]] std::string to_hex(byte_view bytes);

/// The reverse; nothing if a character is not a hex digit or one is left over.
[[nodiscard]] std::optional<byte_vector> from_hex(std::string_view text);

} // namespace almenara::base
