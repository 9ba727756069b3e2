#include "base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace almenara::cli {

std::string to_base64(base::byte_view bytes) {
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t three = 0;
        for (std::size_t i = at; i < at + 3; ++i) {
            three = three << 8U | (i < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i]) : 0);
        }
        const std::size_t digits = bytes.size() - at == 1 ? 2 : bytes.size() - at == 2 ? 3 : 4;
        for (std::size_t digit = 0; digit < 4; ++digit) {
            text += digit < digits ? letters[three >> (18U - 6U * digit) & 63U] : '=';
        }
    }
    return text;
}

} // namespace almenara::cli
