#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::test {

/// What a person sees at a terminal: the little of an xterm that a line editor uses. A sequence
/// that it does not know makes it fail, so that a test never looks at a screen that nobody has.
class terminal_screen {
  public:
    struct size {
        std::size_t rows = 24;
        std::size_t columns = 80;
    };

    explicit terminal_screen(size of) : size_(of), rows_(of.rows, row(of.columns)) {}

    /// In any pieces.
    void feed(std::string_view bytes);
    /// What does not fit is cut off.
    void resize(size to);

    /// Rows that have scrolled away, and those on the screen down to the last that has something;
    /// without blanks behind them.
    [[nodiscard]] std::vector<std::string> lines() const;
    /// The row with the cursor.
    [[nodiscard]] std::string cursor_line() const { return text_of(rows_[cursor_row_]); }
    [[nodiscard]] std::size_t cursor_column() const { return cursor_column_; }
    [[nodiscard]] bool takes_pastes() const { return takes_pastes_; } ///< mode 2004

  private:
    using row = std::vector<std::string>; ///< a cell behind a wide character is empty

    void put(std::string_view character);
    void control(char letter);
    void line_feed();
    void obey(std::string_view parameters, char final_letter);
    void erase_in_line(std::size_t what);
    void erase_below(std::size_t what);
    [[nodiscard]] bool take_sequence();
    [[nodiscard]] bool take_character();
    [[nodiscard]] static std::string text_of(const row& cells);

    size size_;
    std::vector<row> rows_;
    std::vector<std::string> gone_;
    std::size_t cursor_row_ = 0;
    std::size_t cursor_column_ = 0;
    bool wraps_next_ = false; ///< the last column is taken; the next character goes below
    bool takes_pastes_ = false;
    std::string bytes_; ///< not yet a whole sequence or character
};

} // namespace almenara::test
