#pragma once

#include "base/time.hpp"
#include "server/log_budget.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::server {

/// What a script writes, as lines for the log: so many a second and so long, and no more
/// (style 11).
class hook_output {
  public:
    static constexpr std::uint32_t lines_in_a_second = 20;
    static constexpr std::size_t longest_line = 1000;

    /// The lines that end with this, but for empty ones. What is longer comes in pieces.
    [[nodiscard]] std::vector<std::string> take(std::string_view bytes, instant now);

    /// What is left when nothing more comes: a line without an end, and how many were left out.
    [[nodiscard]] std::vector<std::string> end(instant now);

  private:
    void end_line(std::vector<std::string>& into, instant now);

    std::string line_;
    log_budget budget_{lines_in_a_second};
};

} // namespace almenara::server
