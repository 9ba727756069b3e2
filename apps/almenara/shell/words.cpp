#include "shell/words.hpp"

#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::cli {

namespace {

bool is_blank(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

/// Goes through a line letter by letter.
class scanner {
  public:
    explicit scanner(std::string_view line) : line_(line) {}

    [[nodiscard]] scanned_line scan() {
        while (at_ < line_.size()) {
            step();
        }
        return std::move(found_);
    }

  private:
    void step() {
        const char letter = line_[at_];
        switch (found_.end) {
        case line_end::blank:
            begin(letter);
            break;
        case line_end::word:
            plain(letter);
            break;
        case line_end::single_quote:
            quoted(letter, '\'');
            break;
        case line_end::double_quote:
            if (letter == '\\' && at_ + 1 < line_.size() && is_special_in_quotes(line_[at_ + 1])) {
                ++at_;
                add(line_[at_]);
            } else {
                quoted(letter, '"');
            }
            break;
        case line_end::backslash:
            add(letter);
            found_.end = line_end::word;
            break;
        case line_end::comment:
            break;
        }
        ++at_;
    }

    static bool is_special_in_quotes(char letter) { return letter == '"' || letter == '\\'; }

    void begin(char letter) {
        if (is_blank(letter)) {
            return;
        }
        if (letter == '#') {
            found_.end = line_end::comment;
            return;
        }
        found_.words.push_back({.text = {}, .begin = at_, .end = at_});
        plain(letter);
    }

    void plain(char letter) {
        if (is_blank(letter)) {
            found_.end = line_end::blank;
            return;
        }
        found_.end = line_end::word;
        if (letter == '\'' || letter == '"') {
            open(letter == '"' ? line_end::double_quote : line_end::single_quote);
        } else if (letter == '\\') {
            open(line_end::backslash);
        } else {
            add(letter);
        }
    }

    void open(line_end how) {
        found_.end = how;
        found_.opened_at = at_;
        found_.words.back().end = at_ + 1;
    }

    void quoted(char letter, char closing) {
        if (letter != closing) {
            add(letter);
            return;
        }
        found_.end = line_end::word;
        found_.words.back().end = at_ + 1;
    }

    void add(char letter) {
        found_.words.back().text += letter;
        found_.words.back().end = at_ + 1;
    }

    std::string_view line_;
    std::size_t at_ = 0;
    scanned_line found_;
};

complaint unfinished(std::string_view line, const scanned_line& found) {
    const std::size_t column = width_of(line.substr(0, found.opened_at)) + 1;
    if (found.end == line_end::backslash) {
        return usage_complaint(fmt::format("column {}", column),
                               "nothing stands behind this backslash",
                               "Write '\\\\' for a backslash itself.");
    }
    const char quote = found.end == line_end::double_quote ? '"' : '\'';
    return usage_complaint(fmt::format("column {}", column),
                           fmt::format("the quote {} that opens here is never closed", quote),
                           fmt::format("Close it, or write \\{} for the quote itself.", quote));
}

} // namespace

scanned_line scan_line(std::string_view line) {
    return scanner{line}.scan();
}

outcome<std::vector<std::string>> split_line(std::string_view line) {
    scanned_line found = scan_line(line);
    if (found.end == line_end::backslash || found.end == line_end::single_quote ||
        found.end == line_end::double_quote) {
        return unfinished(line, found);
    }
    std::vector<std::string> words;
    for (typed_word& each : found.words) {
        words.push_back(std::move(each.text));
    }
    return words;
}

std::string quoted_word(std::string_view word) {
    const auto needs_quotes = [](char letter) {
        return is_blank(letter) || letter == '\'' || letter == '"' || letter == '\\' ||
               letter == '#';
    };
    if (!word.empty() && std::none_of(word.begin(), word.end(), needs_quotes)) {
        return std::string{word};
    }
    if (word.find('\'') == std::string_view::npos) {
        return fmt::format("'{}'", word);
    }
    std::string text = "\"";
    for (const char letter : word) {
        if (letter == '"' || letter == '\\') {
            text += '\\';
        }
        text += letter;
    }
    return text + '"';
}

} // namespace almenara::cli
