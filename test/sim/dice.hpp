#pragma once

#include "base/random.hpp"
#include "base/time.hpp"

#include <cstdint>

namespace almenara::sim {

/// How long something takes: `usual` is the median of a distribution with a long tail, as networks
/// and disks have it.
struct latency {
    duration usual{0};
    duration most{0};
};

/// The luck of one part of a run. Every part has its own, so that a draw more in one place does not
/// move all the others.
class dice {
  public:
    explicit dice(std::uint64_t seed) : numbers_(seed) {}

    /// For another part: its luck depends on the seed and on this order alone.
    [[nodiscard]] dice fork() { return dice{numbers_.next()}; }

    [[nodiscard]] std::uint64_t number() { return numbers_.next(); }
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return numbers_.below(bound); }
    [[nodiscard]] bool one_in(std::uint64_t count) { return numbers_.below(count) == 0; }
    [[nodiscard]] bool percent(std::uint64_t share) { return numbers_.chance(share, 100); }
    [[nodiscard]] duration between(duration least, duration most) {
        return numbers_.between(least, most);
    }
    [[nodiscard]] duration draw(const latency& from);

  private:
    base::generator numbers_;
};

} // namespace almenara::sim
