#include "state/desk.hpp"

#include "base/check.hpp"
#include "state/rules.hpp"
#include "state/session_table.hpp"
#include "state/transaction.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <utility>

namespace almenara::state {

namespace {

turned_away turn_away(result_code code) {
    return {.reply = {.code = code, .body = {}}};
}

reply reply_of(outcome&& result) {
    if (auto* const refusal = std::get_if<refused>(&result)) {
        return {.code = refusal->code, .body = std::move(refusal->body)};
    }
    return {.code = result_code::ok, .body = std::move(std::get<done>(result).body)};
}

/// The driver's random bytes become part of the update, so that all servers have the same.
session_id new_session(const turn& now) {
    session_id::rep id{};
    std::copy_n(now.random.begin(), id.size(), id.begin());
    return session_id{id};
}

} // namespace

desk::desk(key_space& base, const service& services, const limits& bounds)
    : limits_(bounds), services_(services), overlay_(base) {}

// -- What the replication core says ---------------------------------------------------------------

std::optional<unusable_entry> desk::entering_office(std::span<const log_record> part) {
    if (stopped_) {
        return stopped_;
    }
    std::vector<std::pair<log_index, std::vector<change>>> news;
    for (const log_record& entry : part) {
        if (entry.index <= overlay_.last()) {
            continue;
        }
        auto changes = changes_of(entry);
        if (!changes) {
            return unusable_entry{.index = entry.index, .why = changes.error()};
        }
        news.emplace_back(entry.index, std::move(*changes));
    }
    for (auto& [index, changes] : news) {
        overlay_.push(index, std::move(changes));
    }
    return std::nullopt;
}

std::optional<unusable_entry> desk::entered_office(log_index first_uncommitted,
                                                   std::span<const log_record> tail) {
    if (auto bad = entering_office(tail)) {
        return bad;
    }
    in_office_ = true;
    attachments_.forget_all();
    known_.forget_all();
    sweeper_.start_again();
    if (first_uncommitted > log_index{0}) {
        overlay_.commit(log_index{first_uncommitted.value() - 1});
    }
    return std::nullopt;
}

std::vector<delivery> desk::left_office() {
    in_office_ = false;
    attachments_.forget_all();
    known_.forget_all();
    closing_.clear();
    if (holds(rule::overlay_dropped_after_office)) {
        overlay_.drop_pending();
    }
    std::vector<delivery> all = waiters_.take_all();
    for (delivery& one : all) {
        one.reply = {.code = result_code::retry_elsewhere, .body = {}};
    }
    return all;
}

std::optional<unusable_entry> desk::committed(const log_record& entry) {
    if (stopped_) {
        return stopped_;
    }
    if (entry.index > overlay_.last()) {
        auto changes = changes_of(entry);
        if (!changes) {
            return stopped_ = unusable_entry{.index = entry.index, .why = changes.error()};
        }
        overlay_.push(entry.index, std::move(*changes));
    }
    entry_position where{.index = entry.index, .epoch = entry.epoch, .hash = entry.hash};
    if (entry.kind == payload_kind::config) {
        where.config.emplace(entry.payload.begin(), entry.payload.end());
    }
    overlay_.settle(std::move(where));
    return std::nullopt;
}

void desk::committed_upto(log_index index) {
    overlay_.commit(index);
}

void desk::apply_to_base(log_index upto) {
    overlay_.apply_to_base(upto);
}

std::optional<base_batch> desk::take_for_base(log_index upto) {
    return overlay_.take_for_base(upto);
}

void desk::base_holds(log_index upto, std::size_t forgets) {
    overlay_.base_holds(upto, forgets);
}

void desk::forget_applied(std::size_t most) {
    overlay_.forget(most);
}

std::vector<delivery> desk::confirmed(log_index last) {
    // What was answered can be read, also while the own disk is behind the others' (B.5.5).
    overlay_.commit(last);
    std::erase_if(closing_, [last](const auto& one) { return one.second <= last; });
    return waiters_.confirmed(last);
}

// -- What clients say -----------------------------------------------------------------------------

decision desk::open_session(const turn& now, connection_id connection, const open_request& what) {
    ALMENARA_CHECK(in_office_);
    const waiters::asker who{.connection = connection, .request = what.request};
    const table_view& all = overlay_.whole_view();
    // C.1: the same nonce finds the same session, so the opening can be tried again.
    if (const auto opening = find_opening(all, what.device, what.nonce)) {
        return repeated(now, opening->opened, who,
                        {.label = update_label::session_open, .session = opening->session});
    }
    if (is_full(0)) {
        return turn_away(result_code::busy);
    }
    transaction rows{all};
    const std::uint64_t sessions = count_sessions(all);
    // C.1: beyond the limit whoever comes takes the place of the one that is idle longest.
    std::optional<session_id> oldest;
    if (sessions >= limits_.sessions) {
        oldest = sweeper_.take_oldest(all, attachments_);
    }
    if (oldest) {
        erase_session(rows, *oldest);
        known_.forget(*oldest);
    } else if (sessions >= limits_.most_sessions) {
        return turn_away(result_code::busy);
    }
    const session_id session = new_session(now);
    state::open_session(rows, session, {.session = session, .opened = now.next.index},
                        {.device = what.device,
                         .nonce = what.nonce,
                         .opened = now.next.index,
                         .active = now.next.time});
    proposed entry{.label = update_label::session_open, .session = session};
    entry.payload = push_own(now.next.index, rows, {});
    waiters_.add(now.next.index, who, {.label = entry.label, .session = session});
    return entry;
}

decision desk::close_session(const turn& now, connection_id connection, const close_request& what) {
    ALMENARA_CHECK(in_office_);
    const waiters::asker who{.connection = connection, .request = what.request};
    const auto closing = closing_.find(what.session);
    if (closing != closing_.end()) {
        return repeated(now, closing->second, who,
                        {.label = update_label::session_close, .session = what.session});
    }
    const table_view& all = overlay_.whole_view();
    if (!find_session(all, what.session)) {
        return probe_first{};
    }
    if (!attachments_.may_operate(connection, what.session)) {
        return not_attached{};
    }
    if (waiters_.in_flight(what.session) > 0 || is_full(0)) {
        return turn_away(result_code::busy);
    }
    transaction rows{all};
    erase_session(rows, what.session);
    known_.forget(what.session);
    attachments_.session_closed(what.session);
    closing_.emplace(what.session, now.next.index);
    proposed entry{.label = update_label::session_close, .session = what.session};
    entry.payload = push_own(now.next.index, rows, {});
    waiters_.add(now.next.index, who, {.label = entry.label, .session = what.session});
    return entry;
}

std::variant<attached, probe_first> desk::attach(connection_id connection, session_id session) {
    ALMENARA_CHECK(in_office_);
    if (!find_session(overlay_.whole_view(), session)) {
        return probe_first{};
    }
    detach(connection);
    const auto seen = find_session(overlay_.committed_view(), session);
    return attached{.to_close = attachments_.attach(connection, session),
                    .last_known = seen ? seen->last : sequence{}};
}

decision desk::operation(const turn& now, connection_id connection, const operation_request& what) {
    ALMENARA_CHECK(in_office_);
    if (!attachments_.may_operate(connection, what.session)) {
        return not_attached{};
    }
    // No operation has this number, so it is no repeat of one.
    if (what.seq == sequence{0}) {
        return turn_away(result_code::invalid);
    }
    const place at{.session = what.session, .seq = what.seq, .first_unacked = what.first_unacked};
    known_session* const session = known_.find(overlay_.whole_view(), what.session);
    if (session == nullptr) {
        return probe_first{};
    }
    const standing stands = judge(overlay_.whole_view(), *session, at, limits_);
    // Before anything else is found wrong with it: a repeat gets the first result, whatever it says
    // now and whatever the bounds are by now.
    if (const auto* const repeat = std::get_if<is_known>(&stands)) {
        attachments_.operated(what.session);
        return repeated(now, repeat->result.index,
                        {.connection = connection, .request = what.request},
                        {.session = what.session, .seq = what.seq, .reply = repeat->result.reply});
    }
    if (std::holds_alternative<is_stale>(stands)) {
        return probe_first{};
    }
    if (what.body.size() > limits_.largest_body) {
        return turn_away(result_code::too_large);
    }
    if (what.first_unacked > what.seq) {
        return turn_away(result_code::invalid);
    }
    if (std::holds_alternative<window_is_full>(stands) || is_over_limits(what)) {
        return turn_away(result_code::busy);
    }
    return execute(now, connection, what, *session);
}

outcome desk::outcome_of(const context& about, transaction& rows, base::byte_view body) const {
    outcome result = services_.execute(about, rows, body);
    if (auto* const did = std::get_if<done>(&result)) {
        // The table cannot keep such a result, so it must not have happened (C.1).
        if (did->body.size() > limits_.largest_result) {
            result = refused{.code = result_code::quota};
        }
    } else if (auto& refusal = std::get<refused>(result);
               refusal.body.size() > limits_.largest_result) {
        refusal.body.clear();
    }
    return result;
}

decision desk::execute(const turn& now,
                       connection_id connection,
                       const operation_request& what,
                       known_session& session) {
    const log_index index = now.next.index;
    transaction rows{overlay_.whole_view()};
    const context about{
        .index = index, .time = now.next.time, .session = what.session, .random = now.random};
    outcome result = outcome_of(about, rows, what.body);
    const bool is_refusal = std::holds_alternative<refused>(result);
    if (!is_refusal && !now.may_grow && rows.adds()) {
        return turn_away(result_code::no_space); // E.1: erasing makes room, so it always passes.
    }
    reply answer = reply_of(std::move(result));
    if (is_refusal) {
        rows.forget_changes();
        if (!leaves_entry(answer.code) || !holds(rule::refusal_is_entry)) {
            return turned_away{std::move(answer)};
        }
    }
    attachments_.operated(what.session);
    const place at{.session = what.session, .seq = what.seq, .first_unacked = what.first_unacked};
    record_result(rows, at, session, {.index = index, .reply = answer}, now.next.time);
    proposed entry{.label = update_label::update,
                   .session = what.session,
                   .seq = what.seq,
                   .first_unacked = what.first_unacked};
    entry.payload = push_own(index, rows, answer);
    waiters_.add(index, {.connection = connection, .request = what.request},
                 {.session = what.session,
                  .seq = what.seq,
                  .bytes = what.body.size(),
                  .reply = std::move(answer)});
    return entry;
}

decision desk::repeated(const turn& now,
                        log_index index,
                        const waiters::asker& who,
                        waiters::result again) {
    // B.5.2: what another term of office did is known only when this one has confirmed it.
    if (index <= now.confirmed_upto) {
        return known{.index = index,
                     .label = again.label,
                     .session = again.session,
                     .reply = std::move(again.reply)};
    }
    if (!waiters_.is_awaited(index) && waiters_.size() < limits_.pending_entries) {
        waiters_.add(index, who, std::move(again));
        return waits{index};
    }
    if (waiters_.is_awaited(index) && waiters_.ask_again(index, who)) {
        return waits{index};
    }
    // Not BUSY: it is on its way, whoever is turned away here.
    return turn_away(result_code::retry_elsewhere);
}

bool desk::is_over_limits(const operation_request& what) const {
    return waiters_.in_flight(what.session) >= limits_.operations_in_flight ||
           waiters_.bytes_in_flight(what.session) + what.body.size() > limits_.bytes_in_flight ||
           is_full(what.body.size());
}

bool desk::is_full(std::size_t bytes) const {
    // What is committed and not confirmed waits too, and so does the tail of another office.
    const std::size_t entries = std::max(overlay_.pending(), waiters_.size());
    const std::size_t held = std::max(overlay_.pending_bytes(), waiters_.bytes());
    return entries >= limits_.pending_entries || held + bytes > limits_.pending_bytes ||
           // Architecture 6: whoever writes faster than base takes it waits.
           overlay_.beyond_base() >= limits_.entries_beyond_base ||
           overlay_.memory() + bytes > limits_.bytes_beyond_base;
}

reply desk::why_not(session_id session, std::optional<sequence> seq) const {
    const auto row = find_session(overlay_.committed_view(), session);
    if (!row) {
        return {.code = result_code::session_expired, .body = {}};
    }
    if (seq && *seq < row->first_unacked) {
        return {.code = result_code::stale, .body = {}};
    }
    // What said so is not committed yet, and may never be: the client may ask again.
    return {.code = result_code::busy, .body = {}};
}

answer desk::read(base::byte_view body) const {
    if (body.size() > limits_.largest_body) {
        return {.index = overlay_.committed(),
                .reply = {.code = result_code::too_large, .body = {}}};
    }
    return {.index = overlay_.committed(),
            .reply = reply_of(services_.query(overlay_.committed_view(), body))};
}

void desk::connection_closed(connection_id connection) {
    detach(connection);
    waiters_.closed(connection);
}

void desk::detach(connection_id connection) {
    if (const auto session = attachments_.closed(connection)) {
        known_.forget(*session);
    }
}

std::optional<proposed> desk::sweep(const turn& now) {
    ALMENARA_CHECK(in_office_);
    if (is_full(0)) {
        return std::nullopt;
    }
    const auto found = sweeper_.look(overlay_.whole_view(), attachments_, now.next.time);
    if (found.empty()) {
        return std::nullopt;
    }
    transaction rows{overlay_.whole_view()};
    for (const session_id session : found.to_touch) {
        touch_session(rows, session, now.next.time);
        known_.forget(session);
    }
    for (const session_id session : found.expired) {
        erase_session(rows, session);
        known_.forget(session);
    }
    proposed entry{.label = found.expired.empty() ? update_label::update : update_label::expire};
    entry.payload = push_own(now.next.index, rows, {});
    return entry;
}

base::byte_vector desk::push_own(log_index index, transaction& rows, const state::reply& reply) {
    update what{.changes = rows.take_changes(), .reply = reply};
    // Own work: an entry that the others could not apply must not leave.
    ALMENARA_CHECK(!defect_in(what.changes, index, services_));
    base::byte_vector payload;
    wire::encode(what, payload);
    // Only where a rule is switched off has an older office left something in its place.
    if (index > overlay_.last() || holds(rule::overlay_dropped_after_office)) {
        overlay_.push(index, std::move(what.changes));
    }
    return payload;
}

boost::system::result<std::vector<change>, defect> desk::changes_of(const log_record& entry) const {
    if (entry.kind != payload_kind::update) {
        return std::vector<change>{};
    }
    return changes_in(entry.payload, entry.index, services_);
}

} // namespace almenara::state
