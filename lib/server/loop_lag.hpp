#pragma once

#include "base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace almenara::server {

/// How long the turns of the reactor took lately: a histogram in steps of a factor of two, over the
/// last one to two windows, so that an old burst is forgotten.
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
    // 2^36 ns are more than a minute: longer turns count as that.
    static constexpr std::size_t steps = 37;
    using histogram = std::array<std::uint32_t, steps>;

    histogram current_{};
    histogram previous_{};
    instant current_since_;
};

} // namespace almenara::server
