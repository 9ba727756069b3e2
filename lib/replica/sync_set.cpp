#include "replica/sync_set.hpp"

#include "replica/rules.hpp"

#include <algorithm>
#include <iterator>

namespace almenara::replica {

sync_set::sync_set(const timers& timers,
                   const std::set<server_id>& voters,
                   const std::set<server_id>& trusted,
                   log_index last,
                   instant now)
    : timers_(timers) {
    for (const server_id id : voters) {
        voters_[id] = {.behind_at = now, .not_before = now};
        if (trusted.contains(id) && holds(rule::sync_set_full_at_start)) {
            in_.insert(id);
        }
    }
    cuts_.push_back({.index = last, .at = now});
}

void sync_set::cut(log_index last, instant now) {
    if (cuts_.back().index >= last) {
        return;
    }
    cuts_.push_back({.index = last, .at = now});
    // One that is older than sync_drop says enough of all before it.
    while (cuts_.size() > 1 && cuts_[1].at + timers_.sync_drop < now) {
        cuts_.pop_front();
    }
}

void sync_set::committed(log_index commit, instant now) {
    commits_.push_back({.index = commit, .at = now});
    while (commits_.size() > 1 && commits_[1].at + timers_.sync_lag <= now) {
        commits_.pop_front();
    }
}

log_index sync_set::commit_before(instant at) const {
    // "match >= commit now" would keep the slowest healthy backup out under load.
    if (!holds(rule::sync_set_lag)) {
        return commits_.empty() ? log_index{} : commits_.back().index;
    }
    const auto later = std::upper_bound(commits_.begin(), commits_.end(), at,
                                        [](instant t, const mark& m) { return t < m.at; });
    return later == commits_.begin() ? log_index{} : std::prev(later)->index;
}

instant sync_set::unacked_since(log_index match, instant now) const {
    const auto beyond = std::upper_bound(cuts_.begin(), cuts_.end(), match,
                                         [](log_index i, const mark& m) { return i < m.index; });
    return beyond == cuts_.end() ? now : beyond->at;
}

void sync_set::observe(server_id id, log_index match, bool fit, instant now) {
    const auto found = voters_.find(id);
    if (found == voters_.end()) {
        return;
    }
    voter& v = found->second;
    if (!fit || match < commit_before(now - timers_.sync_lag)) {
        v.behind_at = now;
    }
    if (unacked_since(match, now) + timers_.sync_drop <= now) {
        v.behind_at = now;
        in_.erase(id);
    } else if (!in_.contains(id) && fit && now - v.behind_at >= timers_.sync_join &&
               now >= v.not_before) {
        in_.insert(id);
    }
}

void sync_set::remove(server_id id, instant not_before) {
    in_.erase(id);
    const auto found = voters_.find(id);
    if (found != voters_.end()) {
        found->second.not_before = std::max(found->second.not_before, not_before);
    }
}

instant sync_set::next_change(server_id id, log_index match) const {
    const auto found = voters_.find(id);
    if (found == voters_.end()) {
        return instant::max();
    }
    if (in_.contains(id)) {
        const instant since = unacked_since(match, instant::max());
        return since == instant::max() ? since : since + timers_.sync_drop;
    }
    return std::max(found->second.behind_at + timers_.sync_join, found->second.not_before);
}

} // namespace almenara::replica
