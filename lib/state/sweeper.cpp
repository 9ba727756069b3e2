#include "state/sweeper.hpp"

#include "base/check.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <chrono>
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

sweeper::findings sweeper::look(const table_view& rows, const attachments& present, wall_time now) {
    findings found;
    room left{.sessions = bounds_.swept_at_once, .results = bounds_.erased_at_once};
    key_range range = prefix_range(session_prefix);
    range.from = next_key_;
    const std::vector<row> seen = rows.scan(range, {.rows = bounds_.sweep_rows});
    for (const row& one : seen) {
        const auto session = wire::decode<session_row>(one.value);
        ALMENARA_CHECK(session.has_value());
        judge({.active = session->active,
               .session = session_of_key(one.key),
               .results = session->results},
              present, now, left, found);
    }
    if (seen.size() == bounds_.sweep_rows) {
        next_key_ = seen.back().key + '\0';
        return found;
    }
    expire_beyond_limit(rows, present, left, found);
    start_again();
    return found;
}

void sweeper::judge(
    const candidate& one, const attachments& present, wall_time now, room& left, findings& found) {
    if (present.is_attached(one.session) && is_older(one.active, bounds_.touch, now)) {
        // C.1: a device that only reads stays.
        if (left.take({.active = one.active, .session = one.session})) {
            found.to_touch.push_back(one.session);
        }
    } else if (present.is_protected(one.session)) {
        return;
    } else if (is_older(one.active, bounds_.idle, now) && left.take(one)) {
        found.expired.push_back(one.session);
    } else {
        remember(one);
    }
}

void sweeper::remember(const candidate& one) {
    oldest_.insert(one);
    if (oldest_.size() > bounds_.swept_at_once) {
        oldest_.erase(std::prev(oldest_.end()));
    }
}

void sweeper::expire_beyond_limit(const table_view& rows,
                                  const attachments& present,
                                  room& left,
                                  findings& found) {
    const std::uint64_t all = count_sessions(rows);
    std::uint64_t sessions = all - std::min<std::uint64_t>(all, found.expired.size());
    for (const candidate& one : oldest_) {
        if (sessions <= bounds_.sessions) {
            return;
        }
        // The pass took a while: who came back meanwhile is not idle any more.
        const auto row = find_session(rows, one.session);
        if (row && row->active == one.active && !present.is_protected(one.session) &&
            left.take(one)) {
            found.expired.push_back(one.session);
            --sessions;
        }
    }
}

void sweeper::start_again() {
    next_key_ = session_prefix;
    oldest_.clear();
}

} // namespace almenara::state
