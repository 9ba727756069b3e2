#pragma once

#include "base/time.hpp"
#include "support/check/history.hpp"

#include <vector>

namespace almenara::test::check {

/// A time in which no write was confirmed to anybody.
struct gap {
    instant begin;
    duration length{0};

    friend bool operator==(const gap&, const gap&) = default;
};

/// The longest between two moments, both of which count as confirmations.
[[nodiscard]] gap longest_gap(const history& heard, instant from, instant to);

/// Of lengths in any order, the one that `percent` of them do not pass; 100 is the longest.
[[nodiscard]] duration percentile(std::vector<duration> lengths, unsigned percent);

} // namespace almenara::test::check
