#include "sim/dice.hpp"

#include <algorithm>
#include <array>

namespace almenara::sim {

namespace {

// Sixteen quantiles of a log-normal distribution with sigma 0.8, in thousandths of its median:
// numbers in a table are the same on every machine, std::exp is not.
constexpr std::array<std::int64_t, 16> quantiles{226,  348,  446,  536,  629,  726,  825,  938,
                                                 1066, 1212, 1377, 1590, 1866, 2243, 2875, 4428};
constexpr std::uint64_t tail_one_in = 64;
constexpr std::int64_t tail_factor = 8;

} // namespace

duration dice::draw(const latency& from) {
    if (from.usual.count() <= 0) {
        return duration{0};
    }
    const std::uint64_t drawn = numbers_.next();
    const std::int64_t thousandths = quantiles[drawn % quantiles.size()];
    // The low digits keep two draws from the same quantile apart.
    const auto blur = static_cast<std::int64_t>((drawn >> 8U) % 1000);
    std::int64_t nanoseconds = from.usual.count() / 1000 * thousandths + blur;
    if ((drawn >> 32U) % tail_one_in == 0) {
        nanoseconds *= tail_factor;
    }
    return std::min(duration{nanoseconds}, std::max(from.most, from.usual));
}

} // namespace almenara::sim
