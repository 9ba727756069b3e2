#include "shell/key_parser.hpp"

#include "shell/wide_text.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace almenara::cli {

namespace {

constexpr std::string_view paste_begins = "\x1b[200~";
constexpr std::string_view paste_ends = "\x1b[201~";

/// Nothing in it steers the terminal or the editor.
std::string harmless(std::string_view pasted) {
    std::string text;
    for (std::size_t i = 0; i < pasted.size(); ++i) {
        const char each = pasted[i];
        if (each == '\r') {
            text += '\n';
            i += i + 1 < pasted.size() && pasted[i + 1] == '\n' ? 1U : 0U;
        } else if (each == '\n' || each == '\t' ||
                   (static_cast<unsigned char>(each) >= 0x20U && each != '\x7f')) {
            text += each;
        }
    }
    // Who copies a line often has its end too.
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

} // namespace

std::optional<key_parser::event> key_parser::next() {
    if (!is_pasting_ && bytes_.starts_with(paste_begins)) {
        bytes_.erase(0, paste_begins.size());
        is_pasting_ = true;
    }
    return is_pasting_ ? next_pasted() : next_key();
}

std::optional<key_parser::event> key_parser::next_pasted() {
    const std::size_t end = bytes_.find(paste_ends);
    // The bracket itself may have come in half.
    const std::size_t safe = end == std::string::npos
                                 ? bytes_.size() - std::min(bytes_.size(), paste_ends.size() - 1)
                                 : end;
    pasted_ +=
        bytes_.substr(0, std::min(safe, largest_paste - std::min(largest_paste, pasted_.size())));
    bytes_.erase(0, safe);
    if (end == std::string::npos) {
        return std::nullopt;
    }
    bytes_.erase(0, paste_ends.size());
    is_pasting_ = false;
    return paste{harmless(std::exchange(pasted_, {}))};
}

std::optional<key_parser::event> key_parser::next_key() {
    const bool is_all = std::exchange(doubt_ended_, false);
    if (!is_all && paste_begins.starts_with(bytes_)) {
        return std::nullopt;
    }
    const auto first = decode_first(bytes_, is_all);
    if (!first) {
        return std::nullopt;
    }
    bytes_.erase(0, first->bytes);
    return first->letter;
}

} // namespace almenara::cli
