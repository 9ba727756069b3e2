#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

namespace almenara::base {

namespace {

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

/// Length of the UTF-8 character at the front of `text`; 0 if it is not one. Overlong forms and
/// surrogates are not.
std::size_t character_length(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    std::size_t length = 0;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        length = 3;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4;
    } else {
        return 0;
    }
    if (text.size() < length ||
        !std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length),
                     is_continuation)) {
        return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool surrogate = first == 0xed && second >= 0xa0;
    const bool beyond_unicode = first == 0xf4 && second >= 0x90;
    return overlong || surrogate || beyond_unicode ? 0 : length;
}

/// Whether a character does something instead of being seen: the control characters, those above
/// ASCII too (terminals obey them), those that end a line or turn the direction of writing, and the
/// byte order mark, which nobody sees.
bool steers(std::string_view character) {
    const auto at = [character](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) {
        return at(0) < 0x20 || at(0) == 0x7f;
    }
    if (character.size() == 2) {
        const bool arabic_letter_mark = at(0) == 0xd8 && at(1) == 0x9c;
        return (at(0) == 0xc2 && at(1) < 0xa0) || arabic_letter_mark;
    }
    if (character == "\xef\xbb\xbf") {
        return true;
    }
    if (character.size() == 3 && at(0) == 0xe2) {
        const bool direction_mark = at(1) == 0x80 && (at(2) == 0x8e || at(2) == 0x8f);
        const bool line_end_or_embedding = at(1) == 0x80 && at(2) >= 0xa8 && at(2) <= 0xae;
        const bool isolate = at(1) == 0x81 && at(2) >= 0xa6 && at(2) <= 0xa9;
        return direction_mark || line_end_or_embedding || isolate;
    }
    return false;
}

/// Appends what `escaped` makes of the text, and a backslash before each of these.
void append_escaped(std::string& safe, std::string_view text, std::string_view marked = {}) {
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        if (length > 0 && !steers(text.substr(0, length))) {
            if (marked.find(text[0]) != std::string_view::npos) {
                safe += '\\';
            }
            safe.append(text.substr(0, length));
            text.remove_prefix(length);
            continue;
        }
        switch (text[0]) {
        case '\n':
            safe += "\\n";
            break;
        case '\r':
            safe += "\\r";
            break;
        case '\t':
            safe += "\\t";
            break;
        default:
            safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
        }
        text.remove_prefix(1);
    }
}

/// Steps from one word to the other: insert, delete, change or swap two neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                current[j] = std::min(current[j], before_last[j - 2] + 1);
            }
        }
        std::swap(before_last, last);
        std::swap(last, current);
    }
    return last[b.size()];
}

} // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

std::string escaped(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    append_escaped(safe, text);
    return safe;
}

std::string quoted(std::string_view text) {
    std::string safe;
    safe.reserve(text.size() + 2);
    safe += '"';
    append_escaped(safe, text, "\"\\");
    safe += '"';
    return safe;
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
    // A third of the letters wrong is still a slip of the hand; more is another word. The longest
    // word worth comparing bounds the work on hostile input.
    constexpr std::size_t longest = 64;
    if (word.empty() || word.size() > longest) {
        return std::nullopt;
    }
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const auto meant = nearest(word, candidates);
    return meant ? fmt::format("Did you mean '{}'?", *meant) : std::string{};
}

result<std::uint64_t> parse_number(std::string_view text,
                                   std::uint64_t smallest,
                                   std::uint64_t largest) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || rest != end || number < smallest || number > largest) {
        return error{errc::invalid, fmt::format("'{}' is not a whole number from {} to {}",
                                                escaped(text), smallest, largest)};
    }
    return number;
}

result<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, unsigned>, 4> units{
        {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
    unsigned shift = 0;
    std::string_view digits = text;
    for (const auto& [name, bits] : units) {
        if (text.ends_with(name)) {
            shift = bits;
            digits.remove_suffix(name.size());
        }
    }
    const auto number = parse_number(digits, 0, std::numeric_limits<std::uint64_t>::max() >> shift);
    if (!number) {
        return error{errc::invalid,
                     fmt::format("'{}' is not a size: give bytes, or a number with KiB, MiB or GiB",
                                 escaped(text))};
    }
    return *number << shift;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace almenara::base
