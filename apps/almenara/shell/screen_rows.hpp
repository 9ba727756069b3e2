#pragma once

#include <cstddef>
#include <string_view>

namespace almenara::cli {

/// Where the cursor is, from where the prompt begins.
struct screen_spot {
    std::size_t row = 0;
    std::size_t column = 0;

    friend bool operator==(const screen_spot&, const screen_spot&) = default;
};

/// Where libedit's cursor stands behind the prompt and this much of the line, on a terminal of so
/// many columns. It shows a line as refresh.c does: control characters as ^X, tabs as blanks, wide
/// characters whole.
[[nodiscard]] screen_spot spot_behind(std::wstring_view prompt,
                                      std::wstring_view line,
                                      std::size_t columns);

} // namespace almenara::cli
