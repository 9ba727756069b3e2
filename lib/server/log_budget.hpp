#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace almenara::server {

/// Lets so many lines per second through and counts the others, so that nobody outside can fill
/// the log (style 11).
class log_budget {
  public:
    explicit log_budget(std::uint32_t lines_per_second) : lines_per_second_(lines_per_second) {}

    /// Whether a line may be written now.
    [[nodiscard]] bool take(instant now);

    /// How many were left out since the last call; to be said with the next line that may.
    [[nodiscard]] std::uint64_t take_left_out();

  private:
    std::uint32_t lines_per_second_;
    std::uint32_t taken_ = 0;
    std::uint64_t left_out_ = 0;
    instant second_began_;
};

} // namespace almenara::server
