#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::cli {

/// How many characters of a terminal the text takes. UTF-8 counts by characters, not bytes.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// The text, cut to a width if it is longer; the cut shows as `…`.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t width);

/// Lines of cells under a heading, each column as wide as its widest cell.
class text_table {
  public:
    using row = std::vector<std::string>;

    explicit text_table(row heading) { rows_.push_back(std::move(heading)); }

    /// As many cells as the heading. They hold what other machines said: it is escaped here.
    void add(row cells);

    [[nodiscard]] std::string text() const;

  private:
    std::vector<row> rows_;
};

} // namespace almenara::cli
