#include "support/terminal_screen.hpp"

#include <algorithm>
#include <charconv>
#include <cwchar>
#include <stdexcept>
#include <utility>

namespace almenara::test {

namespace {

std::size_t length_of(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/// East Asian letters, as far as the tests use them: independent of the locale.
std::size_t width_of(std::string_view character) {
    const bool is_wide = character.size() == 3 &&
                         static_cast<unsigned char>(character[0]) >= 0xe3 &&
                         static_cast<unsigned char>(character[0]) <= 0xed;
    return is_wide ? 2 : 1;
}

/// `5` of `5;7`, or the default.
std::size_t number(std::string_view parameters, std::size_t usual) {
    std::size_t value = usual;
    std::from_chars(parameters.data(), parameters.data() + parameters.size(), value);
    return value;
}

} // namespace

void terminal_screen::feed(std::string_view bytes) {
    bytes_ += bytes;
    while (!bytes_.empty() && (bytes_.front() == '\x1b' ? take_sequence() : take_character())) {
    }
}

bool terminal_screen::take_sequence() {
    if (bytes_.size() < 2) {
        return false;
    }
    if (bytes_[1] != '[') {
        bytes_.erase(0, 2); // Keypad modes and the like.
        return true;
    }
    const std::size_t end = bytes_.find_first_not_of("0123456789;?", 2);
    if (end == std::string::npos) {
        return false;
    }
    const std::string sequence = bytes_.substr(0, end + 1);
    bytes_.erase(0, end + 1);
    obey(std::string_view{sequence}.substr(2, end - 2), sequence.back());
    return true;
}

bool terminal_screen::take_character() {
    const auto first = static_cast<unsigned char>(bytes_.front());
    const std::size_t length = length_of(first);
    if (bytes_.size() < length) {
        return false;
    }
    const std::string character = bytes_.substr(0, length);
    bytes_.erase(0, length);
    if (first < 0x20) {
        control(character.front());
    } else {
        put(character);
    }
    return true;
}

void terminal_screen::control(char letter) {
    switch (letter) {
    case '\r':
        cursor_column_ = 0;
        break;
    case '\n':
        line_feed();
        break;
    case '\b':
        cursor_column_ -= cursor_column_ > 0 ? 1U : 0U;
        break;
    case '\t':
        cursor_column_ = std::min((cursor_column_ / 8 + 1) * 8, size_.columns - 1);
        break;
    case '\a':
        return;
    default:
        throw std::runtime_error("the screen does not know a control character");
    }
    wraps_next_ = false;
}

void terminal_screen::line_feed() {
    if (cursor_row_ + 1 < size_.rows) {
        ++cursor_row_;
        return;
    }
    gone_.push_back(text_of(rows_.front()));
    rows_.erase(rows_.begin());
    rows_.emplace_back(size_.columns);
}

void terminal_screen::put(std::string_view character) {
    const std::size_t width = width_of(character);
    if (std::exchange(wraps_next_, false) || cursor_column_ + width > size_.columns) {
        cursor_column_ = 0;
        line_feed();
    }
    row& here = rows_[cursor_row_];
    here[cursor_column_] = character;
    if (width == 2) {
        here[cursor_column_ + 1].clear();
    }
    cursor_column_ += width;
    if (cursor_column_ >= size_.columns) {
        cursor_column_ = size_.columns - 1;
        wraps_next_ = true;
    }
}

void terminal_screen::obey(std::string_view parameters, char final_letter) {
    const std::size_t count = std::max<std::size_t>(number(parameters, 1), 1);
    row& here = rows_[cursor_row_];
    const auto cell = here.begin() + static_cast<std::ptrdiff_t>(cursor_column_);
    const std::size_t rest = size_.columns - cursor_column_;
    if (final_letter != 'm' && final_letter != 'h' && final_letter != 'l') {
        wraps_next_ = false;
    }
    switch (final_letter) {
    case 'A':
        cursor_row_ -= std::min(count, cursor_row_);
        break;
    case 'B':
        cursor_row_ = std::min(cursor_row_ + count, size_.rows - 1);
        break;
    case 'C':
        cursor_column_ = std::min(cursor_column_ + count, size_.columns - 1);
        break;
    case 'D':
        cursor_column_ -= std::min(count, cursor_column_);
        break;
    case 'G':
        cursor_column_ = std::min(count, size_.columns) - 1;
        break;
    case 'H':
        cursor_row_ = std::min(count, size_.rows) - 1;
        cursor_column_ = 0;
        if (const std::size_t behind = parameters.find(';'); behind != std::string_view::npos) {
            cursor_column_ = std::min(number(parameters.substr(behind + 1), 1), size_.columns) - 1;
        }
        break;
    case 'K':
        erase_in_line(number(parameters, 0));
        break;
    case 'J':
        erase_below(number(parameters, 0));
        break;
    case 'P':
        std::rotate(cell, cell + static_cast<std::ptrdiff_t>(std::min(count, rest)), here.end());
        std::fill(here.end() - static_cast<std::ptrdiff_t>(std::min(count, rest)), here.end(), "");
        break;
    case '@':
        std::rotate(cell, here.end() - static_cast<std::ptrdiff_t>(std::min(count, rest)),
                    here.end());
        std::fill(cell, cell + static_cast<std::ptrdiff_t>(std::min(count, rest)), " ");
        break;
    case 'h':
    case 'l':
        takes_pastes_ = parameters == "?2004" ? final_letter == 'h' : takes_pastes_;
        break;
    case 'm':
        break;
    default:
        throw std::runtime_error(std::string{"the screen does not know the sequence CSI "} +
                                 final_letter);
    }
}

void terminal_screen::erase_in_line(std::size_t what) {
    row& here = rows_[cursor_row_];
    const auto cell = here.begin() + static_cast<std::ptrdiff_t>(cursor_column_);
    std::fill(what == 0 ? cell : here.begin(), what == 1 ? cell + 1 : here.end(), "");
}

void terminal_screen::erase_below(std::size_t what) {
    if (what == 0) {
        erase_in_line(0);
    }
    for (std::size_t each = what == 0 ? cursor_row_ + 1 : 0; each < rows_.size(); ++each) {
        rows_[each] = row(size_.columns);
    }
}

void terminal_screen::resize(size to) {
    while (cursor_row_ >= to.rows) {
        gone_.push_back(text_of(rows_.front()));
        rows_.erase(rows_.begin());
        --cursor_row_;
    }
    rows_.resize(to.rows);
    for (row& each : rows_) {
        each.resize(to.columns);
    }
    size_ = to;
    cursor_column_ = std::min(cursor_column_, to.columns - 1);
    wraps_next_ = false;
}

std::string terminal_screen::text_of(const row& cells) {
    std::string text;
    std::string blanks;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const bool is_half =
            cells[i].empty() && i > 0 && width_of(cells[i - 1]) == 2 && !cells[i - 1].empty();
        if (is_half) {
            continue;
        }
        if (cells[i].empty() || cells[i] == " ") {
            blanks += ' ';
        } else {
            text += std::exchange(blanks, {}) + cells[i];
        }
    }
    return text;
}

std::vector<std::string> terminal_screen::lines() const {
    std::vector<std::string> all = gone_;
    for (const row& each : rows_) {
        all.push_back(text_of(each));
    }
    while (!all.empty() && all.back().empty()) {
        all.pop_back();
    }
    return all;
}

} // namespace almenara::test
