#pragma once

#include "complaint.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// How a line that is typed becomes words: blanks separate, '...' and "..." keep together, a
/// backslash takes the next character as it is, and # at the beginning of a word begins a comment.
namespace almenara::cli {

struct typed_word {
    std::string text;      ///< without its quotes
    std::size_t begin = 0; ///< where it stands in the line, in bytes
    std::size_t end = 0;

    friend bool operator==(const typed_word&, const typed_word&) = default;
};

/// How a line ends.
enum class line_end : std::uint8_t {
    blank,        ///< behind a word, or there is none
    word,         ///< in a word that could go on
    single_quote, ///< in '...
    double_quote, ///< in "...
    backslash,    ///< which has nothing to take
    comment,
};

struct scanned_line {
    std::vector<typed_word> words; ///< the last one may be open
    line_end end = line_end::blank;
    std::size_t opened_at = 0; ///< where the open quote or the backslash stands, in bytes
};

/// Any line, finished or not.
[[nodiscard]] scanned_line scan_line(std::string_view line);

/// A finished line; the complaint names the column.
[[nodiscard]] outcome<std::vector<std::string>> split_line(std::string_view line);

/// The word as it is to be typed so that the line has it back.
[[nodiscard]] std::string quoted_word(std::string_view word);

} // namespace almenara::cli
