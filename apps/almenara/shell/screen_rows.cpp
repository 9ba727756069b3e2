#include "shell/screen_rows.hpp"

#include <algorithm>

#include <wchar.h>
#include <wctype.h>

namespace almenara::cli {

namespace {

class pen {
  public:
    explicit pen(std::size_t columns) : columns_(std::max<std::size_t>(columns, 2)) {}

    void draw(wchar_t letter) {
        if (letter == L'\n') {
            begin_row();
        } else if (letter == L'\t') {
            do {
                advance(1);
            } while (at_.column % 8 != 0);
        } else if (::iswprint(static_cast<wint_t>(letter)) != 0) {
            advance(static_cast<std::size_t>(std::max(::wcwidth(letter), 0)));
        } else {
            draw_unprintable(letter);
        }
    }

    [[nodiscard]] const screen_spot& at() const { return at_; }

  private:
    /// As ^X, or \U+XXXX.
    void draw_unprintable(wchar_t letter) {
        const bool is_control = letter < L' ' || letter == L'\x7f';
        const std::size_t letters = is_control ? 2 : letter > 0xffff ? 8 : 7;
        for (std::size_t i = 0; i < letters; ++i) {
            advance(1);
        }
    }

    void advance(std::size_t width) {
        if (at_.column + width > columns_) {
            begin_row(); // A wide one does not stand at the margin by half.
        }
        at_.column += width;
        if (at_.column >= columns_) {
            begin_row();
        }
    }

    void begin_row() {
        ++at_.row;
        at_.column = 0;
    }

    std::size_t columns_;
    screen_spot at_;
};

} // namespace

screen_spot spot_behind(std::wstring_view prompt, std::wstring_view line, std::size_t columns) {
    pen here{columns};
    for (const wchar_t letter : prompt) {
        here.draw(letter);
    }
    for (const wchar_t letter : line) {
        here.draw(letter);
    }
    return here.at();
}

} // namespace almenara::cli
