#include "text_table.hpp"

#include "base/check.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace almenara::cli {

namespace {

/// No cell is wider: a server's nonsense must not push the others off the screen.
constexpr std::size_t widest_cell = 48;

bool begins_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
}

} // namespace

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string cut_to(std::string_view text, std::size_t width) {
    if (width_of(text) <= width) {
        return std::string{text};
    }
    std::size_t end = 0;
    for (std::size_t characters = 0; end < text.size(); ++end) {
        if (begins_character(text[end]) && characters++ == width - 1) {
            break;
        }
    }
    return std::string{text.substr(0, end)} + "…";
}

void text_table::add(row cells) {
    ALMENARA_CHECK(cells.size() == rows_.front().size());
    for (std::string& cell : cells) {
        cell = cut_to(base::escaped(cell), widest_cell);
    }
    rows_.push_back(std::move(cells));
}

std::string text_table::text() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const row& each : rows_) {
        for (std::size_t i = 0; i < each.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(each[i]));
        }
    }
    std::string text;
    for (const row& each : rows_) {
        for (std::size_t i = 0; i < each.size(); ++i) {
            text += each[i];
            if (i + 1 < each.size()) {
                text.append(widths[i] - width_of(each[i]) + 2, ' ');
            }
        }
        text += '\n';
    }
    return text;
}

} // namespace almenara::cli
