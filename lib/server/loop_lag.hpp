#pragma once

#include "base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace almenara::server {

/// How long the turns of the reactor took lately: a histogram whose steps are an eighth of a power
/// of two, over the last one to two windows, so that an old burst is forgotten.
class loop_lag {
  public:
    static constexpr duration window = std::chrono::seconds{5};

    void record(instant now, duration turn);

    /// The turn than which `percent` of 100 were not longer, rounded up to its step; zero when
    /// nothing was recorded lately.
    [[nodiscard]] duration percentile(instant now, unsigned percent) const {
        return per_mille(now, percent * 10);
    }
    [[nodiscard]] duration per_mille(instant now, unsigned of_thousand) const;

  private:
    static constexpr unsigned bits_kept = 3; ///< behind the first one
    static constexpr std::size_t of_power = std::size_t{1} << bits_kept;
    // 2^36 ns are more than a minute: longer turns count as that.
    static constexpr std::size_t longest_bits = 36;
    static constexpr std::size_t steps = (longest_bits - bits_kept + 1) * of_power;
    static std::size_t step_of(std::uint64_t length);
    /// Every length of the step is below it.
    static std::uint64_t end_of(std::size_t step);

    using histogram = std::array<std::uint32_t, steps>;

    histogram current_{};
    histogram previous_{};
    instant current_since_;
};

} // namespace almenara::server
