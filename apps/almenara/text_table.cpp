#include "text_table.hpp"

#include "base/check.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace almenara::cli {

namespace {

/// No cell is wider: a server's nonsense must not push the others off the screen.
constexpr std::size_t widest_cell = 48;
/// No cell is cut to less, however narrow the terminal is.
constexpr std::size_t narrowest_cell = 6;
constexpr std::size_t gap = 2;

std::string_view paint_of(tone how) {
    switch (how) {
    case tone::plain:
        return {};
    case tone::strong:
        return "\x1b[1m";
    case tone::bad:
        return "\x1b[31m";
    }
    return {};
}

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

void text_table::add(row cells, tone how) {
    ALMENARA_CHECK(cells.size() == rows_.front().cells.size());
    for (std::string& cell : cells) {
        cell = cut_to(base::escaped(cell), widest_cell);
    }
    rows_.push_back({std::move(cells), how});
}

std::optional<std::size_t> text_table::next_to_cut(const std::vector<std::size_t>& widths) const {
    std::optional<std::size_t> widest;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const bool has_enough = widths[i] > narrowest_cell && i != cut_last_;
        if (has_enough && (!widest || widths[i] > widths[*widest])) {
            widest = i;
        }
    }
    const bool is_last = !widest && cut_last_ && widths[*cut_last_] > narrowest_cell;
    return is_last ? cut_last_ : widest;
}

std::vector<std::size_t> text_table::widths(std::size_t columns) const {
    std::vector<std::size_t> widths(rows_.front().cells.size());
    for (const toned_row& each : rows_) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(each.cells[i]));
        }
    }
    const auto taken = [&widths] {
        return std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
    };
    while (columns > 0 && taken() > columns) {
        const auto next = next_to_cut(widths);
        if (!next) {
            break;
        }
        --widths[*next];
    }
    return widths;
}

std::string text_table::text(const table_look& look) const {
    const std::vector<std::size_t> widths = this->widths(look.columns);
    std::string text;
    for (const toned_row& each : rows_) {
        const std::string_view paint = look.colours ? paint_of(each.how) : std::string_view{};
        text += paint;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const std::string cell = cut_to(each.cells[i], widths[i]);
            text += cell;
            if (i + 1 < widths.size()) {
                text.append(widths[i] - width_of(cell) + gap, ' ');
            }
        }
        text += paint.empty() ? "\n" : "\x1b[m\n";
    }
    return text;
}

} // namespace almenara::cli
