#include "server/loop_lag.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace almenara::server {

void loop_lag::record(instant now, duration turn) {
    if (const auto windows = (now - current_since_) / window; windows > 0) {
        previous_ = windows == 1 ? current_ : histogram{};
        current_ = {};
        current_since_ = current_since_ + windows * window;
    }
    const auto length = static_cast<std::uint64_t>(std::max<std::int64_t>(turn.count(), 0));
    ++current_[std::min(step_of(length), steps - 1)];
}

std::size_t loop_lag::step_of(std::uint64_t length) {
    if (length < of_power) {
        return static_cast<std::size_t>(length);
    }
    const auto shift = static_cast<unsigned>(std::bit_width(length)) - bits_kept - 1;
    return static_cast<std::size_t>((std::uint64_t{shift} << bits_kept) + (length >> shift));
}

std::uint64_t loop_lag::end_of(std::size_t step) {
    if (step < of_power) {
        return step + 1;
    }
    const std::size_t shift = (step >> bits_kept) - 1;
    return (step - (shift << bits_kept) + 1) << shift;
}

duration loop_lag::per_mille(instant now, unsigned of_thousand) const {
    const auto windows = (now - current_since_) / window;
    if (windows > 1) {
        return duration::zero();
    }
    histogram lately = current_;
    for (std::size_t step = 0; step < steps && windows == 0; ++step) {
        lately[step] += previous_[step];
    }
    const std::uint64_t total = std::accumulate(lately.begin(), lately.end(), std::uint64_t{0});
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < steps && total > 0; ++step) {
        seen += lately[step];
        if (seen * 1000 >= total * of_thousand) {
            return duration{static_cast<std::int64_t>(end_of(step))};
        }
    }
    return duration::zero();
}

} // namespace almenara::server
