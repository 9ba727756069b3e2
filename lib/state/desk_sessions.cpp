#include "base/check.hpp"
#include "state/desk.hpp"
#include "state/desk_look.hpp"
#include "state/session_table.hpp"
#include "state/transaction.hpp"

#include <algorithm>
#include <optional>
#include <utility>

/// The part of the desk that is about sessions: how they begin, who speaks for them, and how they
/// end (C.1).
namespace almenara::state {

namespace {

/// The driver's random bytes become part of the update, so that all servers have the same.
session_id new_session(const turn& now) {
    session_id::rep id{};
    std::copy_n(now.random.begin(), id.size(), id.begin());
    return session_id{id};
}

} // namespace

decision desk::open_session(const turn& now,
                            connection_id connection,
                            const open_request& what,
                            const inputs& supplied) {
    ALMENARA_CHECK(in_office_);
    const waiters::asker who{.connection = connection, .request = what.request};
    const look seen{overlay_, overlay::part::whole, supplied};
    const auto opening = find_opening(seen.rows(), what.device, what.nonce);
    const std::uint64_t sessions = count_sessions(seen.rows());
    if (!seen.is_whole()) {
        return asks_for(seen.missing());
    }
    // C.1: the same nonce finds the same session, so the opening can be tried again.
    if (opening) {
        return repeated(now, opening->opened, who,
                        {.label = update_label::session_open, .session = opening->session});
    }
    if (is_full(0)) {
        return turn_away(result_code::busy);
    }
    transaction rows{seen.rows()};
    // C.1: beyond the limit whoever comes takes the place of the one that is idle longest.
    sweeper::oldest idle;
    if (sessions >= limits_.sessions) {
        idle = sweeper_.find_oldest(
            {.rows = seen.rows(), .missing = seen.missing(), .present = attachments_});
    }
    if (idle.session) {
        erase_session(rows, *idle.session);
    }
    const session_id session = new_session(now);
    state::open_session(rows, session, {.session = session, .opened = now.next.index},
                        {.device = what.device,
                         .nonce = what.nonce,
                         .opened = now.next.index,
                         .active = now.next.time});
    if (!seen.is_whole()) {
        return asks_for(seen.missing());
    }
    sweeper_.took(idle);
    if (!idle.session && sessions >= limits_.most_sessions) {
        return turn_away(result_code::busy);
    }
    if (idle.session) {
        known_.forget(*idle.session);
    }
    proposed entry{.label = update_label::session_open, .session = session};
    entry.payload = push_own(now.next.index, rows, {});
    waiters_.add(now.next.index, who, {.label = entry.label, .session = session});
    return entry;
}

decision desk::close_session(const turn& now,
                             connection_id connection,
                             const close_request& what,
                             const inputs& supplied) {
    ALMENARA_CHECK(in_office_);
    const waiters::asker who{.connection = connection, .request = what.request};
    const auto closing = closing_.find(what.session);
    if (closing != closing_.end()) {
        return repeated(now, closing->second, who,
                        {.label = update_label::session_close, .session = what.session});
    }
    const look seen{overlay_, overlay::part::whole, supplied};
    const bool is_there = find_session(seen.rows(), what.session).has_value();
    if (!seen.is_whole()) {
        return asks_for(seen.missing());
    }
    if (!is_there) {
        return probe_first{};
    }
    if (!attachments_.may_operate(connection, what.session)) {
        return not_attached{};
    }
    if (waiters_.in_flight(what.session) > 0 || is_full(0)) {
        return turn_away(result_code::busy);
    }
    transaction rows{seen.rows()};
    erase_session(rows, what.session);
    if (!seen.is_whole()) {
        return asks_for(seen.missing());
    }
    known_.forget(what.session);
    attachments_.session_closed(what.session);
    closing_.emplace(what.session, now.next.index);
    proposed entry{.label = update_label::session_close, .session = what.session};
    entry.payload = push_own(now.next.index, rows, {});
    waiters_.add(now.next.index, who, {.label = entry.label, .session = what.session});
    return entry;
}

std::variant<attached, probe_first, needs_inputs> desk::attach(connection_id connection,
                                                               session_id session,
                                                               const inputs& supplied) {
    ALMENARA_CHECK(in_office_);
    const look seen{overlay_, overlay::part::whole, supplied};
    const look committed{overlay_, overlay::part::committed, supplied};
    const auto found = find_session(seen.rows(), session);
    const auto known = find_session(committed.rows(), session);
    if (!seen.is_whole() || !committed.is_whole()) {
        return asks_for(committed.is_whole() ? seen.missing() : committed.missing());
    }
    if (!found) {
        return probe_first{};
    }
    detach(connection);
    return attached{.to_close = attachments_.attach(connection, session),
                    .last_known = known ? known->last : sequence{},
                    .device = found->device};
}

std::variant<attached, probe_first> desk::attach(connection_id connection, session_id session) {
    auto result = attach(connection, session, {});
    if (auto* const done = std::get_if<attached>(&result)) {
        return *done;
    }
    return warm<probe_first>(std::move(result));
}

std::variant<reply, needs_inputs> desk::why_not(session_id session,
                                                std::optional<sequence> seq,
                                                const inputs& supplied) const {
    const look seen{overlay_, overlay::part::committed, supplied};
    const auto row = find_session(seen.rows(), session);
    if (!seen.is_whole()) {
        return asks_for(seen.missing());
    }
    if (!row) {
        return reply{.code = result_code::session_expired, .body = {}};
    }
    if (seq && *seq < row->first_unacked) {
        return reply{.code = result_code::stale, .body = {}};
    }
    // What said so is not committed yet, and may never be: the client may ask again.
    return reply{.code = result_code::busy, .body = {}};
}

reply desk::why_not(session_id session, std::optional<sequence> seq) const {
    return warm<reply>(why_not(session, seq, {}));
}

std::variant<nothing_due, proposed, needs_inputs> desk::sweep(const turn& now,
                                                              const inputs& supplied) {
    ALMENARA_CHECK(in_office_);
    if (is_full(0)) {
        return nothing_due{};
    }
    const look seen{overlay_, overlay::part::whole, supplied};
    // What it remembers counts only if it saw everything.
    sweeper swept = sweeper_;
    const auto found = swept.look(
        {.rows = seen.rows(), .missing = seen.missing(), .present = attachments_}, now.next.time);
    transaction rows{seen.rows()};
    for (const session_id session : found.to_touch) {
        touch_session(rows, session, now.next.time);
    }
    for (const session_id session : found.expired) {
        // Each may have a window of results: what is asked for stays with who asked.
        if (seen.missing().size() >= limits_.asked_at_once) {
            break;
        }
        erase_session(rows, session);
    }
    if (!seen.is_whole()) {
        return asks_for(seen.missing());
    }
    sweeper_ = std::move(swept);
    if (found.empty()) {
        return nothing_due{};
    }
    for (const session_id session : found.to_touch) {
        known_.forget(session);
    }
    for (const session_id session : found.expired) {
        known_.forget(session);
    }
    proposed entry{.label = found.expired.empty() ? update_label::update : update_label::expire};
    entry.payload = push_own(now.next.index, rows, {});
    return entry;
}

std::optional<proposed> desk::sweep(const turn& now) {
    auto result = sweep(now, {});
    if (auto* const entry = std::get_if<proposed>(&result)) {
        return std::move(*entry);
    }
    static_cast<void>(warm<nothing_due>(std::move(result)));
    return std::nullopt;
}

} // namespace almenara::state
