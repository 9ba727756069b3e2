#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <vector>

namespace almenara::bench {

/// How long things took. Exact to 1/64, from a nanosecond to centuries, in little room.
class histogram {
  public:
    void add(duration length);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] duration largest() const { return largest_; }

    /// So many of a thousand took this long or less, rounded up to what is exact. Zero when there
    /// is nothing.
    [[nodiscard]] duration at(std::uint64_t of_thousand) const;

  private:
    std::vector<std::uint64_t> counts_; ///< by the number of their bucket, up to the largest
    std::uint64_t count_ = 0;
    duration largest_{};
};

} // namespace almenara::bench
