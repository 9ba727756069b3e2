#include "state/base_batch.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace almenara::state {

base_batch merged(std::vector<base_batch> batches) {
    ALMENARA_CHECK(!batches.empty());
    struct place {
        std::size_t batch;
        std::size_t change;
    };
    base_batch whole{.upto = std::move(batches.back().upto)};
    std::vector<place> places;
    for (std::size_t batch = 0; batch < batches.size(); ++batch) {
        whole.entries += batches[batch].entries;
        whole.bytes += batches[batch].bytes;
        for (std::size_t change = 0; change < batches[batch].changes.size(); ++change) {
            places.push_back({.batch = batch, .change = change});
        }
    }
    const auto at = [&batches](const place& where) -> change& {
        return batches[where.batch].changes[where.change];
    };
    // Of the same row the newest comes first.
    std::sort(places.begin(), places.end(), [&at](const place& a, const place& b) {
        const int order = at(a).key.compare(at(b).key);
        return order != 0 ? order < 0 : a.batch > b.batch;
    });
    for (const place& where : places) {
        change& next = at(where);
        if (whole.changes.empty() || whole.changes.back().key != next.key) {
            whole.changes.push_back(std::move(next));
        }
    }
    return whole;
}

} // namespace almenara::state
