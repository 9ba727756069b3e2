#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::cli {

/// The lines that were typed before, oldest first, each once and not too many.
class line_history {
  public:
    static constexpr std::size_t most_lines = 1000;

    /// A value that was pasted is nothing to look for, and all lines together are to fit the file.
    static constexpr std::size_t longest_line = std::size_t{4} << 10U;

    /// A line with a blank in front is nobody's business. False: it was not kept.
    bool add(std::string line);
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

  private:
    std::vector<std::string> lines_;
};

/// Where they are kept: $XDG_STATE_HOME/almenara/history, or ~/.local/state/almenara/history.
/// Nothing if neither is known.
[[nodiscard]] std::optional<std::string> history_path();

/// The same in a file that only its owner reads, in a directory that nobody else may use. Several
/// shells may use it: each appends what was typed in it, and the one that begins tidies up.
class history_file {
  public:
    /// Reads what is there.
    explicit history_file(std::optional<std::string> path);

    [[nodiscard]] const line_history& history() const { return history_; }
    /// Whether it was kept in memory, and so can be recalled.
    bool add(const std::string& line);

    /// Why lines are not kept beyond this shell, if so; told once.
    [[nodiscard]] std::optional<std::string> take_trouble();

  private:
    void load();
    void rewrite();
    void append(std::string_view line);
    void fail(error why);

    std::optional<std::string> path_;
    line_history history_;
    std::optional<std::string> trouble_;
};

} // namespace almenara::cli
