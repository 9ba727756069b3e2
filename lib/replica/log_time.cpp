#include "replica/log_time.hpp"

#include <algorithm>
#include <chrono>

namespace almenara::replica {

namespace {

using std::chrono::milliseconds;

/// How far log time may jump when somebody takes office.
constexpr milliseconds longest_jump = std::chrono::hours{24};

/// Entries say what they like of their time, so it may be the last one there is.
wall_time later(wall_time from, milliseconds by) {
    return wall_time{from.since_epoch() > milliseconds::max() - by ? milliseconds::max()
                                                                   : from.since_epoch() + by};
}

milliseconds whole(duration passed) {
    return std::chrono::duration_cast<milliseconds>(passed);
}

} // namespace

log_clock::log_clock(wall_time newest, std::vector<wall_time> clocks, instant now)
    : time_(newest), at_(now) {
    std::sort(clocks.begin(), clocks.end());
    const wall_time median = clocks[(clocks.size() - 1) / 2];
    const bool first_ever = newest == wall_time{};
    time_ = std::max(newest, first_ever ? median : std::min(median, later(newest, longest_jump)));
}

wall_time log_clock::next(moment now) const {
    return std::max(time_, std::min(now.wall, later(time_, 2 * whole(now.monotonic - at_))));
}

void log_clock::given(moment now) {
    time_ = next(now);
    // What is left of a millisecond counts for the next entry: with entries closer than that, log
    // time would stand still. Whole ones are gone, used or not: a clock that was behind for an hour
    // has no hour of credit.
    at_ = at_ + whole(now.monotonic - at_);
}

} // namespace almenara::replica
