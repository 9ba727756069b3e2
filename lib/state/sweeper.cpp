#include "state/sweeper.hpp"

#include "base/check.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>

namespace almenara::state {

namespace {

using std::chrono::milliseconds;

bool is_older(wall_time since, duration age, wall_time now) {
    // Rows may say any time; what is before 1970 or to come does not overflow.
    const milliseconds began = std::max(since.since_epoch(), milliseconds{0});
    return began <= now.since_epoch() &&
           now.since_epoch() - began >= std::chrono::ceil<milliseconds>(age);
}

} // namespace

bool sweeper::room::take(const candidate& one) {
    if (sessions == 0 || results < one.results) {
        return false;
    }
    --sessions;
    results -= one.results;
    return true;
}

sweeper::findings sweeper::look(const sight& seen, wall_time now) {
    findings found;
    room left{.sessions = bounds_->swept_at_once, .results = bounds_->erased_at_once};
    // What a pass has found is worked off before the next one begins.
    expire_beyond_limit(seen, left, found);
    if (!found.empty()) {
        return found;
    }
    key_range range = prefix_range(session_prefix);
    range.from = next_key_;
    const std::vector<row> page = seen.rows.scan(range, {.rows = bounds_->sweep_rows});
    for (const row& one : page) {
        const auto session = wire::decode<session_row>(one.value);
        ALMENARA_CHECK(session.has_value());
        judge({.active = session->active,
               .session = session_of_key(one.key),
               .results = session->results},
              seen.present, now, left, found);
    }
    if (page.size() == bounds_->sweep_rows) {
        next_key_ = page.back().key + '\0';
        return found;
    }
    due_ = std::move(oldest_);
    next_key_ = session_prefix;
    oldest_.clear();
    expire_beyond_limit(seen, left, found);
    return found;
}

void sweeper::judge(
    const candidate& one, const attachments& present, wall_time now, room& left, findings& found) {
    if (present.is_attached(one.session) && is_older(one.active, bounds_->touch, now)) {
        // C.1: a device that only reads stays.
        if (left.take({.active = one.active, .session = one.session})) {
            found.to_touch.push_back(one.session);
        }
    } else if (present.is_protected(one.session)) {
        return;
    } else if (is_older(one.active, bounds_->idle, now) && left.take(one)) {
        found.expired.push_back(one.session);
    } else {
        remember(one);
    }
}

void sweeper::remember(const candidate& one) {
    oldest_.insert(one);
    if (oldest_.size() > bounds_->oldest_known) {
        oldest_.erase(std::prev(oldest_.end()));
    }
}

void sweeper::expire_beyond_limit(const sight& seen, room& left, findings& found) {
    const std::uint64_t all = count_sessions(seen.rows);
    std::uint64_t sessions = all - std::min<std::uint64_t>(all, found.expired.size());
    // Whoever is not idle any more is looked at too, so the entry's bound alone would not do.
    for (std::size_t looked_at = 0; looked_at < bounds_->swept_at_once; ++looked_at) {
        if (sessions <= bounds_->sessions || due_.empty() || has_asked_enough(seen)) {
            return;
        }
        const candidate one = *due_.begin();
        if (may_still_expire(one, seen)) {
            if (!left.take(one)) {
                return;
            }
            found.expired.push_back(one.session);
            --sessions;
        }
        due_.erase(due_.begin());
    }
}

sweeper::oldest sweeper::find_oldest(const sight& seen) const {
    oldest found;
    for (const candidate& one : due_) {
        if (found.looked_at >= bounds_->swept_at_once || has_asked_enough(seen)) {
            break;
        }
        ++found.looked_at;
        if (may_still_expire(one, seen)) {
            found.session = one.session;
            break;
        }
    }
    return found;
}

void sweeper::took(const oldest& found) {
    due_.erase(due_.begin(), std::next(due_.begin(), static_cast<std::ptrdiff_t>(found.looked_at)));
}

/// The pass took a while: who came back meanwhile is not idle any more.
bool sweeper::may_still_expire(const candidate& one, const sight& seen) {
    if (seen.present.is_protected(one.session)) {
        return false;
    }
    const auto row = find_session(seen.rows, one.session);
    return row && row->active == one.active;
}

void sweeper::start_again() {
    next_key_ = session_prefix;
    oldest_.clear();
    due_.clear();
}

} // namespace almenara::state
