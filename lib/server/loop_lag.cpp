#include "server/loop_lag.hpp"

#include <algorithm>
#include <bit>

namespace almenara::server {

void loop_lag::record(instant now, duration turn) {
    if (now - current_since_ >= window) {
        const bool previous_is_fresh = now - current_since_ < 2 * window;
        previous_ = previous_is_fresh ? current_ : histogram{};
        current_ = {};
        current_since_ = now;
    }
    const auto length = static_cast<std::uint64_t>(std::max<std::int64_t>(turn.count(), 0));
    const auto step = static_cast<std::size_t>(std::bit_width(length));
    ++current_[std::min(step, steps - 1)];
}

duration loop_lag::percentile(instant now, unsigned percent) const {
    if (now - current_since_ >= 2 * window) {
        return duration::zero();
    }
    std::uint64_t total = 0;
    for (std::size_t step = 0; step < steps; ++step) {
        total += current_[step] + previous_[step];
    }
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < steps && total > 0; ++step) {
        seen += current_[step] + previous_[step];
        if (seen * 100 >= total * percent) {
            return duration{std::int64_t{1} << step};
        }
    }
    return duration::zero();
}

} // namespace almenara::server
