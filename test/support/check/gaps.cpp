#include "support/check/gaps.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <cstddef>

namespace almenara::test::check {

gap longest_gap(const history& heard, instant from, instant to) {
    std::vector<instant> moments{from, to};
    for (const operation& one : heard.operations()) {
        const bool is_write = one.request.what != verb::get;
        if (is_write && one.returned && one.reply.code != outcome::refused &&
            from < *one.returned && *one.returned < to) {
            moments.push_back(*one.returned);
        }
    }
    std::sort(moments.begin(), moments.end());
    gap longest{.begin = from, .length = duration{0}};
    for (std::size_t i = 1; i < moments.size(); ++i) {
        if (const duration length = moments[i] - moments[i - 1]; length > longest.length) {
            longest = {.begin = moments[i - 1], .length = length};
        }
    }
    return longest;
}

duration percentile(std::vector<duration> lengths, unsigned percent) {
    ALMENARA_CHECK(!lengths.empty() && percent <= 100);
    std::sort(lengths.begin(), lengths.end());
    const std::size_t enough = (lengths.size() * percent + 99) / 100;
    return lengths[enough == 0 ? 0 : enough - 1];
}

} // namespace almenara::test::check
