#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>

namespace almenara::server {

/// Lets so many lines per second through and counts the others, so that nobody outside can fill
/// the log (style 11).
class log_budget {
  public:
    explicit log_budget(std::uint32_t lines_per_second) : lines_per_second_(lines_per_second) {}

    /// Whether a line may be written now.
    [[nodiscard]] bool take(instant now);

    /// When it is to be said how many were left out: a second after the first of them.
    [[nodiscard]] std::optional<instant> left_out_due() const;
    [[nodiscard]] bool is_left_out_due(instant now) const;

    /// How many were left out since the last call.
    [[nodiscard]] std::uint64_t take_left_out();

  private:
    std::uint32_t lines_per_second_;
    std::uint32_t taken_ = 0;
    std::uint64_t left_out_ = 0;
    instant second_began_;
    instant left_out_since_;
};

} // namespace almenara::server
