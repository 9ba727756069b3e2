#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <map>

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
    std::map<std::uint32_t, std::uint64_t> counts_; ///< by the number of their bucket
    std::uint64_t count_ = 0;
    duration largest_{};
};

} // namespace almenara::bench
