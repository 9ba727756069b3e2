#include "state/desk.hpp"

#include "base/check.hpp"
#include "state/desk_look.hpp"
#include "state/rules.hpp"
#include "state/session_table.hpp"
#include "state/transaction.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <utility>

namespace almenara::state {

namespace {

reply reply_of(outcome&& result) {
    if (auto* const refusal = std::get_if<refused>(&result)) {
        return {.code = refusal->code, .body = std::move(refusal->body)};
    }
    return {.code = result_code::ok, .body = std::move(std::get<done>(result).body)};
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
    entry_position where{.index = entry.index,
                         .epoch = entry.epoch,
                         .hash = entry.hash,
                         .time = entry.time,
                         .config = {}};
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

decision desk::operation(const turn& now,
                         connection_id connection,
                         const operation_request& what,
                         const inputs& supplied) {
    ALMENARA_CHECK(in_office_);
    if (!attachments_.may_operate(connection, what.session)) {
        return not_attached{};
    }
    // No operation has this number, so it is no repeat of one.
    if (what.seq == sequence{0}) {
        return turn_away(result_code::invalid);
    }
    const place at{.session = what.session, .seq = what.seq, .first_unacked = what.first_unacked};
    const look seen{overlay_, overlay::part::whole, supplied};
    known_session* session = known_.find(what.session);
    if (session == nullptr) {
        auto read = read_session(seen.rows(), what.session);
        if (!seen.is_whole()) {
            return asks_for(seen.missing());
        }
        if (!read) {
            return probe_first{};
        }
        session = &known_.add(what.session, std::move(*read));
    }
    const standing stands = judge(seen.rows(), *session, at, limits_);
    if (!seen.is_whole()) {
        return asks_for(seen.missing());
    }
    ALMENARA_CHECK(!std::holds_alternative<is_cold>(stands));
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
    return execute(now, connection, what, *session, seen);
}

outcome desk::outcome_of(const context& about,
                         const look& seen,
                         transaction& rows,
                         base::byte_view body) const {
    outcome result = services_.execute(about, rows, body);
    if (!seen.is_whole()) {
        return seen.missing();
    }
    if (auto* const did = std::get_if<done>(&result)) {
        // The table cannot keep such a result, so it must not have happened (C.1).
        if (did->body.size() > limits_.largest_result) {
            result = refused{.code = result_code::quota};
        }
    } else if (auto* const refusal = std::get_if<refused>(&result);
               refusal != nullptr && refusal->body.size() > limits_.largest_result) {
        refusal->body.clear();
    }
    return result;
}

needs_inputs desk::asks_for(const needs& wanted) const {
    return {.wanted = wanted, .hold = overlay_.hold()};
}

decision desk::execute(const turn& now,
                       connection_id connection,
                       const operation_request& what,
                       known_session& session,
                       const look& seen) {
    const log_index index = now.next.index;
    transaction rows{seen.rows()};
    const context about{
        .index = index, .time = now.next.time, .session = what.session, .random = now.random};
    outcome result = outcome_of(about, seen, rows, what.body);
    if (const auto* const wanted = std::get_if<needs>(&result)) {
        needs_inputs more = asks_for(*wanted);
        more.is_new = true;
        return more;
    }
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
    const place at{.session = what.session, .seq = what.seq, .first_unacked = what.first_unacked};
    // Everything was seen: nothing is asked from here on, and what is known changes.
    record_result(rows, at, session, {.index = index, .reply = answer}, now.next.time);
    attachments_.operated(what.session);
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

std::variant<answer, needs_inputs> desk::read(base::byte_view body, const inputs& supplied) const {
    answer found{.index = overlay_.committed(), .reply = {}};
    if (body.size() > limits_.largest_body) {
        found.reply.code = result_code::too_large;
        return found;
    }
    const look seen{overlay_, overlay::part::committed, supplied};
    outcome result = services_.query(seen.rows(), body);
    if (!seen.is_whole()) {
        return asks_for(seen.missing());
    }
    if (const auto* const wanted = std::get_if<needs>(&result)) {
        return asks_for(*wanted);
    }
    found.reply = reply_of(std::move(result));
    return found;
}

answer desk::read(base::byte_view body) const {
    return warm<answer>(read(body, {}));
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
