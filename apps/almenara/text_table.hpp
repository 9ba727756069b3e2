#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::cli {

/// How many characters of a terminal the text takes. UTF-8 counts by characters, not bytes.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// The text, cut to a width if it is longer; the cut shows as `…`.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t width);

/// What a table is shown on.
struct table_look {
    std::size_t columns = 0; ///< of a terminal; 0: there is none, and lines are as long as they are
    bool colours = false;
};

/// What a line of a table is to somebody who looks at it quickly.
enum class tone : std::uint8_t { plain, strong, bad };

/// Lines of cells under a heading, each column as wide as its widest cell. Where the terminal is
/// narrower the widest columns are cut, and one of them last.
class text_table {
  public:
    using row = std::vector<std::string>;

    explicit text_table(row heading, std::optional<std::size_t> cut_last = {})
        : cut_last_(cut_last) {
        rows_.push_back({std::move(heading), tone::plain});
    }

    /// As many cells as the heading. They hold what other machines said: it is escaped here.
    void add(row cells, tone how = tone::plain);

    [[nodiscard]] std::string text(const table_look& look = {}) const;

  private:
    struct toned_row {
        row cells;
        tone how;
    };
    [[nodiscard]] std::optional<std::size_t> next_to_cut(
        const std::vector<std::size_t>& widths) const;
    [[nodiscard]] std::vector<std::size_t> widths(std::size_t columns) const;

    std::vector<toned_row> rows_;
    std::optional<std::size_t> cut_last_; ///< the column by which people know the others
};

} // namespace almenara::cli
