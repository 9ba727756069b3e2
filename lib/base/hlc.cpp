#include "base/hlc.hpp"

#include <algorithm>

namespace almenara {

namespace {

hlc_stamp at_start_of(wall_time time) {
    const auto count = std::max<std::int64_t>(time.since_epoch().count(), 0);
    return hlc_stamp{static_cast<std::uint64_t>(count) << 16U};
}

} // namespace

hlc_stamp hybrid_clock::stamp(wall_time now) {
    // The count within a millisecond may run over into the next one; order is what matters.
    last_ = std::max(at_start_of(now), last_.next());
    return last_;
}

bool hybrid_clock::observe(hlc_stamp received, wall_time now) {
    if (received > at_start_of(wall_time{now.since_epoch() + largest_lead})) {
        return false;
    }
    last_ = std::max(last_, received);
    return true;
}

} // namespace almenara
