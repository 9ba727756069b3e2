#include "shell/wide_text.hpp"

#include <algorithm>

namespace almenara::cli {

static_assert(sizeof(wchar_t) == sizeof(char32_t));

namespace {

constexpr char32_t replacement = U'\uFFFD';

/// How many bytes a character has that begins so; 0: none begins so.
std::size_t length_of(unsigned char lead) {
    if (lead < 0x80U) {
        return 1;
    }
    if (lead >= 0xc2U && lead < 0xe0U) {
        return 2;
    }
    if (lead >= 0xe0U && lead < 0xf0U) {
        return 3;
    }
    return lead >= 0xf0U && lead < 0xf5U ? 4 : 0;
}

bool continues(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

/// A whole character; surrogates and what is encoded too long are none.
char32_t decode(std::string_view bytes) {
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const auto lead = static_cast<unsigned char>(bytes.front());
    if (bytes.size() == 1) {
        return lead;
    }
    char32_t value = lead & (0xffU >> (bytes.size() + 1));
    for (const char each : bytes.substr(1)) {
        value = (value << 6U) | (static_cast<unsigned char>(each) & 0x3fU);
    }
    const bool is_bad =
        value < smallest[bytes.size()] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff);
    return is_bad ? replacement : value;
}

void append_utf8(std::string& to, char32_t letter) {
    const auto add = [&to](char32_t bits) { to += static_cast<char>(bits); };
    const auto add_rest = [&](unsigned shift) { add(0x80U | ((letter >> shift) & 0x3fU)); };
    if (letter < 0x80) {
        add(letter);
    } else if (letter < 0x800) {
        add(0xc0U | (letter >> 6U));
        add_rest(0);
    } else if (letter < 0x10000) {
        add(0xe0U | (letter >> 12U));
        add_rest(6);
        add_rest(0);
    } else {
        add(0xf0U | (letter >> 18U));
        add_rest(12);
        add_rest(6);
        add_rest(0);
    }
}

} // namespace

std::optional<decoded> decode_first(std::string_view bytes, bool is_all) {
    if (bytes.empty()) {
        return std::nullopt;
    }
    const std::size_t length = length_of(static_cast<unsigned char>(bytes.front()));
    std::size_t there = 1;
    while (there < length && there < bytes.size() && continues(bytes[there])) {
        ++there;
    }
    if (there == length) {
        return decoded{.letter = decode(bytes.substr(0, length)), .bytes = length};
    }
    if (there == bytes.size() && length != 0 && !is_all) {
        return std::nullopt;
    }
    return decoded{.letter = replacement, .bytes = there};
}

std::wstring to_wide(std::string_view text) {
    std::wstring wide;
    while (const auto first = decode_first(text, true)) {
        wide += static_cast<wchar_t>(first->letter);
        text.remove_prefix(first->bytes);
    }
    return wide;
}

std::string to_utf8(std::wstring_view text) {
    std::string narrow;
    for (const wchar_t letter : text) {
        append_utf8(narrow, static_cast<char32_t>(letter));
    }
    return narrow;
}

} // namespace almenara::cli
