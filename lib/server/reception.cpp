#include "server/reception.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace almenara::server {

namespace {

almenara::epoch epoch_seen(const client_request& what) {
    return std::visit(
        []<class Request>(const Request& asked) {
            if constexpr (requires { asked.epoch_seen; }) {
                return asked.epoch_seen;
            } else {
                return almenara::epoch{};
            }
        },
        what);
}

state::reply elsewhere() {
    return {.code = state::result_code::retry_elsewhere, .body = {}};
}

} // namespace

reception::reception(state::key_space& base,
                     const state::service& services,
                     const state::limits& bounds,
                     replication& log,
                     const reception_limits& limits)
    : log_(log),
      bounds_(bounds),
      limits_(limits),
      desk_(base, services, bounds),
      held_(limits.held),
      cold_(limits.cold) {}

// -- Requests -------------------------------------------------------------------------------------

void reception::request(connection_id connection, client_request what) {
    if (is_over_) {
        return turn_away(connection, what, elsewhere());
    }
    // B.5.1: its word deposes nobody, but before it is answered a majority must agree with me.
    if (in_office() && epoch_seen(what) > log_.here().epoch) {
        return probe(
            {.connection = connection, .request = std::move(what), .why = probing::purpose::claim});
    }
    serve_in_order(connection, std::move(what));
}

/// C.3: what waits here is served in its turn, and this one came later.
void reception::serve_in_order(connection_id from, client_request&& what) {
    if (in_office() && keeps_order(what)) {
        if (const auto reason = held_.reason_of_earlier(from, session_of(what))) {
            return hold_behind(from, std::move(what), *reason);
        }
    }
    serve(from, std::move(what));
}

void reception::hold_behind(connection_id from, client_request&& what, held_for reason) {
    if (reason == held_for::slot) {
        return hold_for_slot(from, std::move(what));
    }
    held_request waiting{.connection = from,
                         .request = std::move(what),
                         .reason = reason,
                         .until = reason == held_for::office ? log_.now() + limits_.office_hold
                                                             : instant::max()};
    if (!held_.hold(waiting)) {
        no_room(from, waiting.request);
    }
}

void reception::serve(connection_id from, client_request&& what, progress&& so_far) {
    std::visit([&](auto& asked) { serve(from, std::move(asked), std::move(so_far)); }, what);
}

void reception::serve(connection_id from, wire::operation&& what, progress&& so_far) {
    if (!in_office()) {
        return not_here(from, std::move(what));
    }
    if (cold_.has_line(what.session) && !so_far.is_first) {
        return wait_in_line(from, std::move(what));
    }
    const auto turn = next_turn();
    if (!turn) {
        return hold_for_slot(from, std::move(what));
    }
    state::decision decided = desk_.operation(*turn, from,
                                              {.request = what.request,
                                               .session = what.session,
                                               .seq = what.seq,
                                               .first_unacked = what.first_unacked,
                                               .body = what.body},
                                              so_far.supplied);
    if (std::holds_alternative<state::proposed>(decided) ||
        std::holds_alternative<state::waits>(decided) ||
        std::holds_alternative<state::known>(decided)) {
        note(sighting::kind::operation_taken, from, what.session);
    }
    settle(from, std::move(what), std::move(decided), std::move(so_far));
}

void reception::serve(connection_id from, wire::read&& what, progress&& so_far) {
    switch (what.mode) {
    case wire::read_mode::stale:
        return serve_stale(from, std::move(what), std::move(so_far));
    case wire::read_mode::quorum:
    case wire::read_mode::lease: // B.9: where no lease is given, a majority says it.
        if (!in_office()) {
            return not_here(from, std::move(what));
        }
        return probe(
            {.connection = from, .request = std::move(what), .why = probing::purpose::read});
    }
    turn_away(from, what, {.code = state::result_code::unsupported, .body = {}});
}

// B.9: what this server has, and how old it may be.
void reception::serve_stale(connection_id from, wire::read&& what, progress&& so_far) {
    const standing& here = log_.here();
    if (in_office()) {
        desk_.committed_upto(here.commit);
    }
    if (what.last_seen > desk_.log_beyond_base().committed()) {
        held_request waiting{.connection = from,
                             .request = std::move(what),
                             .reason = held_for::catch_up,
                             .until = log_.now() + limits_.catch_up_hold};
        if (!held_.hold(waiting)) {
            turn_away(from, waiting.request, {.code = state::result_code::busy, .body = {}});
        }
        return;
    }
    const instant heard = in_office() ? log_.now() : here.primary_heard;
    const duration age = std::max(log_.now() - heard, duration{0});
    answer_read(from, std::move(what), std::chrono::duration_cast<std::chrono::milliseconds>(age),
                std::move(so_far));
}

void reception::answer_read(connection_id from,
                            wire::read&& what,
                            std::optional<std::chrono::milliseconds> age,
                            progress&& so_far) {
    auto read = desk_.read(what.body, so_far.supplied);
    if (auto* const missing = std::get_if<state::needs_inputs>(&read)) {
        return wait_for_rows(
            {.connection = from, .request = std::move(what), .so_far = std::move(so_far)},
            std::move(*missing));
    }
    auto& found = std::get<state::answer>(read);
    if (what.mode != wire::read_mode::stale) {
        note(sighting::kind::read_served, from);
    }
    say(from, wire::read_result{.request = what.request,
                                .code = found.reply.code,
                                .index = found.index,
                                .epoch = log_.here().epoch,
                                .age = age,
                                .body = std::move(found.reply.body)});
    answers_.back().rests_on = found.index;
}

void reception::serve(connection_id from, wire::whois&& what, progress&&) {
    const standing& here = log_.here();
    const duration wait = std::clamp<duration>(what.wait, duration{0}, limits_.whois_hold);
    if (!here.primary && wait > duration{0}) {
        held_request waiting{.connection = from,
                             .request = std::move(what),
                             .reason = held_for::primary,
                             .until = log_.now() + wait};
        if (held_.hold(waiting)) {
            return note(sighting::kind::whois_held, from);
        }
    }
    say(from,
        wire::primary_is{.request = what.request, .epoch = here.epoch, .primary = here.primary});
}

std::optional<state::turn> reception::next_turn() {
    const auto slot = log_.next_slot();
    if (!slot) {
        return std::nullopt;
    }
    return state::turn{.next = *slot,
                       .confirmed_upto = log_.confirmed_upto(),
                       .random = log_.random(),
                       .may_grow = log_.here().may_grow};
}

void reception::settle(connection_id from,
                       client_request&& what,
                       state::decision&& decided,
                       progress&& so_far) {
    if (auto* entry = std::get_if<state::proposed>(&decided)) {
        log_.propose(std::move(*entry));
    } else if (std::holds_alternative<state::waits>(decided)) {
        note(sighting::kind::repeat_waits, from);
    } else if (auto* known = std::get_if<state::known>(&decided)) {
        note(sighting::kind::repeat_found, from);
        const auto* const asked = std::get_if<wire::operation>(&what);
        deliver({.connection = from,
                 .request = number_of(what),
                 .label = known->label,
                 .session = known->session,
                 .seq = asked != nullptr ? asked->seq : sequence{},
                 .index = known->index,
                 .reply = std::move(known->reply)});
    } else if (auto* away = std::get_if<state::turned_away>(&decided)) {
        turn_away(from, what, std::move(away->reply));
    } else if (std::holds_alternative<state::probe_first>(decided)) {
        probe({.connection = from, .request = std::move(what), .why = probing::purpose::refusal});
    } else if (auto* missing = std::get_if<state::needs_inputs>(&decided)) {
        wait_for_rows({.connection = from, .request = std::move(what), .so_far = std::move(so_far)},
                      std::move(*missing));
    } else {
        closing_.push_back(from);
    }
}

void reception::probe(probing&& what) {
    const std::size_t weight = weight_of(what.request);
    if (probing_.size() >= limits_.probing.requests ||
        probing_bytes_ + weight > limits_.probing.bytes) {
        return no_room(what.connection, what.request);
    }
    const auto claimed =
        what.why == probing::purpose::claim ? epoch_seen(what.request) : almenara::epoch{};
    last_ticket_ = last_ticket_.next();
    probing_bytes_ += weight;
    probing_.emplace(last_ticket_, std::move(what));
    log_.probe(last_ticket_, claimed);
}

void reception::hold_for_slot(connection_id from, client_request&& what) {
    duration wait = limits_.handover_hold;
    if (const auto* const asked = std::get_if<wire::operation>(&what);
        asked != nullptr && asked->deadline > duration{0}) {
        wait = std::min<duration>(wait, asked->deadline);
    }
    held_request waiting{.connection = from,
                         .request = std::move(what),
                         .reason = held_for::slot,
                         .until = log_.now() + wait};
    if (held_.hold(waiting)) {
        return note(sighting::kind::held_for_handover, from);
    }
    no_room(from, waiting.request);
}

void reception::not_here(connection_id from, client_request&& what) {
    const almenara::epoch seen = epoch_seen(what);
    const bool has_missed_one = !entering_ && seen > log_.here().epoch;
    if (has_missed_one) {
        log_.probe({}, seen);
    }
    if (entering_ || has_missed_one) {
        held_request waiting{.connection = from,
                             .request = std::move(what),
                             .reason = entering_ ? held_for::office : held_for::news,
                             .until = log_.now() +
                                      (entering_ ? limits_.office_hold : limits_.news_hold)};
        if (held_.hold(waiting)) {
            return;
        }
        what = std::move(waiting.request);
    }
    redirect(from, number_of(what));
}

void reception::connection_ended(connection_id connection) {
    desk_.connection_closed(connection);
    attendance_.ended(connection);
    held_.connection_ended(connection);
    cold_.connection_ended(connection);
    logins_.erase(logins_.lower_bound({connection, request_id{}}),
                  logins_.lower_bound({connection.next(), request_id{}}));
}

// -- Time -----------------------------------------------------------------------------------------

void reception::tick() {
    if (is_over_) {
        return; // Its server ends, and whoever waits goes elsewhere.
    }
    go_on_with_some();
    give_up_waiting();
    // B.10.6: the hand-over was given up.
    if (in_office() && held_.has(held_for::slot) && log_.next_slot()) {
        for (held_request& one : held_.take(held_for::slot)) {
            serve(one.connection, std::move(one.request));
        }
    }
    for (held_request& one : held_.take(held_for::next_turn)) {
        serve_in_order(one.connection, std::move(one.request));
    }
    if (in_office() && held_.has(held_for::office)) {
        // Everybody's clients may have come: some of them in each turn.
        std::size_t served = 0;
        for (held_request& one : held_.take(held_for::office)) {
            if (served++ < limits_.served_at_once) {
                request(one.connection, std::move(one.request));
            } else if (!held_.hold(one)) {
                redirect(one.connection, number_of(one.request));
            }
        }
    }
    caught_up_upto_ = desk_.log_beyond_base().committed();
    for (held_request& one : held_.take_caught_up(caught_up_upto_)) {
        serve(one.connection, std::move(one.request));
    }
    for (held_request& one : held_.take_due(log_.now())) {
        release(std::move(one));
    }
    if (in_office() && log_.now() >= next_sweep_) {
        next_sweep_ = log_.now() + limits_.sweep_every;
        sweep();
    }
}

void reception::release(held_request&& what) {
    if (what.reason == held_for::primary) {
        const standing& here = log_.here();
        return say(what.connection, wire::primary_is{.request = number_of(what.request),
                                                     .epoch = here.epoch,
                                                     .primary = here.primary});
    }
    redirect(what.connection, number_of(what.request));
}

std::optional<instant> reception::wake() const {
    if (is_over_) {
        return std::nullopt;
    }
    const bool has_news = desk_.log_beyond_base().committed() != caught_up_upto_;
    if (held_.has(held_for::next_turn) || cold_.has_ready() ||
        (in_office() && held_.has(held_for::office)) ||
        (has_news && held_.has(held_for::catch_up))) {
        return log_.now();
    }
    std::optional<instant> next = held_.next_deadline();
    if (const auto rows = cold_.next_deadline()) {
        next = std::min(next.value_or(*rows), *rows);
    }
    if (in_office()) {
        next = std::min(next.value_or(next_sweep_), next_sweep_);
    }
    return next;
}

// -- What the core says ---------------------------------------------------------------------------

std::optional<state::unusable_entry> reception::committed(const state::log_record& entry) {
    auto bad = desk_.committed(entry);
    is_over_ = is_over_ || bad.has_value();
    return bad;
}

void reception::confirmed(const confirmation& what) {
    if (is_over_) {
        return; // left_office() will send them elsewhere.
    }
    newest_ = what;
    for (const state::delivery& result : desk_.confirmed(what.last)) {
        deliver(result);
    }
}

void reception::readable(probe_ticket ticket) {
    auto found = probing_.extract(ticket);
    if (found.empty()) {
        return; // The office that asked is over.
    }
    probing what = std::move(found.mapped());
    probing_bytes_ -= weight_of(what.request);
    if (is_over_) {
        return turn_away(what.connection, what.request, elsewhere());
    }
    desk_.committed_upto(log_.here().commit);
    switch (what.why) {
    case probing::purpose::claim: {
        // It may become an entry, and nothing is proposed in the middle of an output.
        held_request waiting{.connection = what.connection,
                             .request = std::move(what.request),
                             .reason = held_for::next_turn,
                             .until = instant::max()};
        if (!held_.hold(waiting)) {
            no_room(waiting.connection, waiting.request);
        }
        break;
    }
    case probing::purpose::read:
        answer_read(what.connection, std::move(std::get<wire::read>(what.request)), {}, {});
        break;
    case probing::purpose::refusal:
        explain(what.connection, std::move(what.request));
        break;
    }
}

void reception::refused_read(probe_ticket ticket) {
    auto found = probing_.extract(ticket);
    if (!found.empty()) {
        const probing& what = found.mapped();
        probing_bytes_ -= weight_of(what.request);
        no_room(what.connection, what.request);
    }
}

std::optional<state::unusable_entry> reception::entered_office(log_index first_uncommitted) {
    entering_ = first_uncommitted;
    attendance_.office_changed();
    return enter_further();
}

std::optional<state::unusable_entry> reception::enter_further() {
    if (!entering_) {
        return std::nullopt;
    }
    const log_piece next = log_.own_log(beyond_base().next(), limits_.looked_at_once);
    if (!next.is_last) {
        auto bad = desk_.entering_office(next.entries);
        if (bad) {
            entering_.reset();
        }
        return bad;
    }
    next_sweep_ = log_.now() + limits_.sweep_every;
    return desk_.entered_office(*std::exchange(entering_, std::nullopt), next.entries);
}

void reception::left_office() {
    entering_.reset();
    attendance_.office_changed();
    for (held_request& one : held_.take(held_for::office)) {
        release(std::move(one));
    }
    const std::vector<state::delivery> unknown = desk_.left_office();
    newest_.reset();
    if (!unknown.empty()) {
        note(sighting::kind::waiters_sent_away, {});
    }
    for (const state::delivery& result : unknown) {
        deliver(result);
    }
    for (const auto& [ticket, what] : std::exchange(probing_, {})) {
        turn_away(what.connection, what.request, elsewhere());
    }
    probing_bytes_ = 0;
    for (const held_request& one : held_.take(held_for::next_turn)) {
        turn_away(one.connection, one.request, elsewhere());
    }
    for (const attempt& one : cold_.take_those_of_the_office()) {
        if (one.request) {
            turn_away(one.connection, *one.request, elsewhere());
        }
    }
    sweep_waits_ = false;
}

void reception::announced() {
    if (!log_.here().primary) {
        return;
    }
    for (held_request& one : held_.take(held_for::primary)) {
        release(std::move(one));
    }
    for (held_request& one : held_.take(held_for::news)) {
        release(std::move(one));
    }
    // B.10.5. Attached elsewhere or nowhere: also when this server rules again.
    for (held_request& one : held_.take(held_for::slot)) {
        release(std::move(one));
    }
}

} // namespace almenara::server
