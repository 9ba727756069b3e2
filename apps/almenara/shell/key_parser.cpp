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
    if (stage_ == stage::keys && bytes_.starts_with(paste_begins)) {
        bytes_.erase(0, paste_begins.size());
        stage_ = stage::paste;
    }
    return stage_ == stage::keys ? next_key() : next_pasted();
}

bool key_parser::give_up_paste() {
    if (stage_ == stage::keys) {
        return false;
    }
    stage_ = stage::given_up;
    pasted_.clear();
    return true;
}

std::optional<key_parser::event> key_parser::next_pasted() {
    const bool is_quiet = std::exchange(doubt_ended_, false) && is_giving_up_paste();
    const std::size_t end = bytes_.find(paste_ends);
    // The bracket itself may have come in half.
    const std::size_t safe = end == std::string::npos
                                 ? bytes_.size() - std::min(bytes_.size(), paste_ends.size() - 1)
                                 : end;
    // Also where the bracket is still awaited: it may never come.
    if (signal_keys_.interrupt && bytes_.find(*signal_keys_.interrupt) < end) {
        static_cast<void>(give_up_paste());
    }
    take_pasted(std::string_view{bytes_}.substr(0, safe));
    bytes_.erase(0, safe);
    if (end == std::string::npos && !is_quiet) {
        return std::nullopt;
    }
    bytes_.erase(0, paste_ends.size());
    return end_paste();
}

void key_parser::take_pasted(std::string_view bytes) {
    if (stage_ == stage::paste && bytes.size() > largest_paste - pasted_.size()) {
        stage_ = stage::too_long;
        pasted_.clear();
    }
    if (stage_ == stage::paste) {
        pasted_ += bytes;
    }
}

key_parser::event key_parser::end_paste() {
    switch (std::exchange(stage_, stage::keys)) {
    case stage::given_up:
        return notice::interrupt;
    case stage::too_long:
        return notice::paste_too_long;
    case stage::keys:
    case stage::paste:
        break;
    }
    return paste{harmless(std::exchange(pasted_, {}))};
}

std::optional<key_parser::notice> key_parser::signal_of(char first) const {
    if (first == signal_keys_.interrupt) {
        return notice::interrupt;
    }
    if (first == signal_keys_.suspend) {
        return notice::suspend;
    }
    return first == signal_keys_.quit ? std::optional{notice::quit} : std::nullopt;
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
    const auto signal = signal_of(bytes_.front());
    bytes_.erase(0, first->bytes);
    return signal ? event{*signal} : event{first->letter};
}

} // namespace almenara::cli
