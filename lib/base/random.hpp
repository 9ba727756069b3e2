#pragma once

#include "base/time.hpp"

#include <array>
#include <cstdint>

namespace almenara::base {

/// Seeded generator (xoshiro256**): the same seed gives the same numbers on every machine, which
/// the distributions of the standard library do not promise. For jitter and tests, never for keys.
class generator {
  public:
    explicit generator(std::uint64_t seed);

    [[nodiscard]] std::uint64_t next();

    /// A number in [0, bound), each equally likely. bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);

    /// True `numerator` times out of `denominator`.
    [[nodiscard]] bool chance(std::uint64_t numerator, std::uint64_t denominator);

    /// A length in [shortest, longest], to the nanosecond.
    [[nodiscard]] duration between(duration shortest, duration longest);

  private:
    std::array<std::uint64_t, 4> state_{};
};

} // namespace almenara::base
