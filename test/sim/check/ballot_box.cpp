#include "sim/check/ballot_box.hpp"

#include <algorithm>

namespace almenara::sim::check {

void ballot_box::claimed(server_id candidate, epoch claimed, const replica::rank& rank) {
    // A repeated CLAIM may come with a longer log; a voter may have judged either.
    auto& known = claims_[{claimed, candidate}];
    known = std::max(known, rank);
}

void ballot_box::promised(server_id voter, epoch of, const replica::promised& to) {
    const auto [earlier, is_new] = promises_.try_emplace({of, voter}, to);
    const replica::promised& first = earlier->second;
    if (!is_new && (first.id != to.id || first.incarnation != to.incarnation)) {
        found_.report("I3",
                      "server {} promised epoch {} to server {} (incarnation {}), then to server "
                      "{} (incarnation {})",
                      voter, of, first.id, first.incarnation, to.id, to.incarnation);
    }
}

void ballot_box::check_log_test(server_id voter,
                                epoch of,
                                server_id candidate,
                                replica::log_end mine) {
    const auto claim = claims_.find({of, candidate});
    if (claim != claims_.end() && replica::end_of(claim->second) < mine) {
        found_.report("I6",
                      "server {}, whose log ends at index {} of epoch {}, promised epoch {} to "
                      "server {}, whose log ends at index {} of epoch {}",
                      voter, mine.index, mine.epoch, of, candidate, claim->second.last_index,
                      claim->second.last_epoch);
    }
}

std::size_t ballot_box::promises_for(const replica::promised& candidate, epoch of) const {
    std::size_t count = 0;
    for (auto place = promises_.lower_bound({of, server_id{}});
         place != promises_.end() && place->first.first == of; ++place) {
        const replica::promised& to = place->second;
        if (to.id == candidate.id && to.incarnation == candidate.incarnation) {
            ++count;
        }
    }
    return count;
}

} // namespace almenara::sim::check
