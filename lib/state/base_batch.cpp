#include "state/base_batch.hpp"

#include "base/check.hpp"
#include "state/session_table.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace almenara::state {

base_batch merged(std::vector<base_batch> batches) {
    ALMENARA_CHECK(!batches.empty());
    struct position {
        std::size_t batch;
        std::size_t change;
    };
    base_batch whole{.upto = std::move(batches.back().upto)};
    std::vector<position> places;
    for (std::size_t batch = 0; batch < batches.size(); ++batch) {
        whole.entries += batches[batch].entries;
        whole.bytes += batches[batch].bytes;
        for (std::size_t change = 0; change < batches[batch].changes.size(); ++change) {
            places.push_back({.batch = batch, .change = change});
        }
    }
    const auto at = [&batches](const position& where) -> change& {
        return batches[where.batch].changes[where.change];
    };
    // Of the same row the newest comes first.
    std::sort(places.begin(), places.end(), [&at](const position& a, const position& b) {
        const int order = at(a).key.compare(at(b).key);
        return order != 0 ? order < 0 : a.batch > b.batch;
    });
    for (auto row = places.begin(); row != places.end();) {
        change& newest = at(*row);
        const auto next = std::find_if(std::next(row), places.end(), [&](const position& where) {
            return at(where).key != newest.key;
        });
        const bool was_made_here = std::any_of(std::next(row), next, [&at](const position& where) {
            return at(where).kind == change_kind::put;
        });
        // Its only put is in this group, so base never had it, and need not hear that it went.
        const bool came_and_went =
            newest.kind == change_kind::erase && was_made_here && is_written_once(newest.key);
        if (!came_and_went) {
            whole.changes.push_back(std::move(newest));
        }
        row = next;
    }
    return whole;
}

} // namespace almenara::state
