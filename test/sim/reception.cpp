#include "sim/reception.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace almenara::sim {

namespace {

replica::entry_type type_of(state::update_label label) {
    switch (label) {
    case state::update_label::session_open:
        return replica::entry_type::session_open;
    case state::update_label::session_close:
        return replica::entry_type::session_close;
    case state::update_label::expire:
        return replica::entry_type::expire;
    case state::update_label::update:
        break;
    }
    return replica::entry_type::update;
}

state::payload_kind kind_of(replica::entry_type type) {
    switch (type) {
    case replica::entry_type::config:
        return state::payload_kind::config;
    case replica::entry_type::epoch_start:
    case replica::entry_type::digest:
        return state::payload_kind::other;
    default:
        return state::payload_kind::update;
    }
}

state::log_record record_of(const replica::entry& entry) {
    return {.index = entry.index,
            .epoch = entry.epoch,
            .hash = entry.hash.value(),
            .kind = kind_of(entry.type),
            .payload = entry.payload};
}

almenara::epoch epoch_seen(const client_request& what) {
    return std::visit(
        []<class What>(const What& asked) {
            if constexpr (requires { asked.epoch_seen; }) {
                return asked.epoch_seen;
            } else {
                return almenara::epoch{};
            }
        },
        what.what);
}

} // namespace

reception::reception(state::memory_key_space base, dice luck, scene& around)
    : base_(std::move(base)),
      desk_(base_, kv_, around.habits.state),
      luck_(luck),
      seen_(around.seen),
      uses_(around.found) {}

// -- Requests -------------------------------------------------------------------------------------

void reception::request(replica::core& core,
                        const replica::moment& now,
                        const standing& here,
                        connection_id connection,
                        const client_request& what) {
    const asking who{
        .core = core, .now = now, .here = here, .connection = connection, .request = what.request};
    // B.5.1: its word deposes nobody, but before it is answered a majority must agree with me.
    if (in_office() && epoch_seen(what) > here.epoch) {
        probe(who, waiting_claim{.connection = connection, .request = what});
        return;
    }
    serve(who, what);
}

void reception::serve(const asking& who, const client_request& what) {
    std::visit(
        [&]<class What>(const What& asked) {
            if (in_office() || std::is_same_v<What, ask_whois>) {
                serve(who, asked);
            } else {
                redirect(who);
            }
        },
        what.what);
}

std::optional<state::turn> reception::next_turn(const asking& who) {
    const auto slot = who.core.next_slot(who.now);
    if (!slot) {
        return std::nullopt;
    }
    state::turn turn{.next = {.index = slot->index, .time = slot->time},
                     .confirmed_upto = who.core.confirmed_upto()};
    for (std::byte& random : turn.random) {
        random = static_cast<std::byte>(luck_.below(256));
    }
    return turn;
}

void reception::serve(const asking& who, const ask_operation& what) {
    const auto turn = next_turn(who);
    if (!turn) {
        return redirect(who);
    }
    state::decision decided = desk_.operation(*turn, who.connection,
                                              {.request = who.request,
                                               .session = what.session,
                                               .seq = what.seq,
                                               .first_unacked = what.first_unacked,
                                               .body = what.body});
    if (std::holds_alternative<state::proposed>(decided) ||
        std::holds_alternative<state::waits>(decided) ||
        std::holds_alternative<state::known>(decided)) {
        uses_.operated(what.session.value());
    }
    settle(who, std::move(decided), what.session, what.seq);
}

void reception::serve(const asking& who, const ask_read& what) {
    probe(who,
          waiting_read{.connection = who.connection, .request = who.request, .body = what.body});
}

void reception::serve(const asking& who, const ask_whois& what) {
    if (who.here.primary) {
        return say(who.connection, who.request,
                   primary_is{.epoch = who.here.epoch, .primary = who.here.primary});
    }
    seen_.saw(sight::session_held);
    held_.push_back({.until = who.now.monotonic + what.wait,
                     .connection = who.connection,
                     .request = who.request});
}

void reception::settle(const asking& who,
                       state::decision&& what,
                       state::session_id session,
                       state::sequence seq) {
    if (auto* entry = std::get_if<state::proposed>(&what)) {
        propose(who, std::move(*entry));
    } else if (std::holds_alternative<state::waits>(what)) {
        seen_.saw(sight::retry_attached);
    } else if (auto* known = std::get_if<state::known>(&what)) {
        seen_.saw(sight::retry_found_result);
        deliver(who.here,
                {.connection = who.connection,
                 .request = who.request,
                 .session = known->session,
                 .seq = seq,
                 .index = known->index,
                 .reply = std::move(known->reply)},
                newest_ ? &*newest_ : nullptr);
    } else if (const auto* away = std::get_if<state::turned_away>(&what)) {
        say(who.connection, who.request,
            refused{.code = away->reply.code, .epoch = who.here.epoch});
    } else if (std::holds_alternative<state::probe_first>(what)) {
        probe(who, waiting_refusal{.connection = who.connection,
                                   .request = who.request,
                                   .session = session,
                                   .seq = seq});
    } else {
        closing_.push_back(who.connection);
    }
}

void reception::propose(const asking& who, state::proposed&& what) {
    const auto slot = who.core.next_slot(who.now);
    ALMENARA_CHECK(slot.has_value());
    last_proposed_ = slot->index;
    who.core.step(who.now, replica::proposal{.type = type_of(what.label),
                                             .session = what.session.value(),
                                             .seq = what.seq.value(),
                                             .first_unacked = what.first_unacked.value(),
                                             .payload = std::move(what.payload)});
}

void reception::probe(const asking& who, waiting what) {
    almenara::epoch claimed;
    if (const auto* claim = std::get_if<waiting_claim>(&what)) {
        claimed = epoch_seen(claim->request);
    }
    last_ticket_ = last_ticket_.next();
    waiting_.emplace(last_ticket_, std::move(what));
    who.core.step(who.now, replica::read_request{.ticket = last_ticket_, .epoch_seen = claimed});
}

void reception::redirect(const asking& who) {
    auto primary = who.here.primary;
    if (primary == who.here.self) {
        primary.reset();
    }
    say(who.connection, who.request, redirected{.epoch = who.here.epoch, .primary = primary});
}

void reception::connection_ended(connection_id connection) {
    desk_.connection_closed(connection);
    uses_.connection_ended(connection);
    std::erase_if(held_, [&](const held_whois& held) { return held.connection == connection; });
}

// -- What the core says ---------------------------------------------------------------------------

std::optional<state::unusable_entry> reception::committed(const replica::entry& entry) {
    return desk_.committed(record_of(entry));
}

void reception::apply_to_base(log_index upto) {
    desk_.apply_to_base(upto);
}

void reception::confirmed(const standing& here, const replica::confirmation& what) {
    newest_ = what;
    for (const state::delivery& result : desk_.confirmed(what.last)) {
        deliver(here, result, &what);
    }
}

void reception::readable(replica::core& core,
                         const replica::moment& now,
                         const standing& here,
                         replica::read_ticket ticket,
                         bool may_propose) {
    const auto at = waiting_.find(ticket);
    if (at == waiting_.end() ||
        (!may_propose && std::holds_alternative<waiting_claim>(at->second))) {
        return;
    }
    const waiting what = std::move(at->second);
    waiting_.erase(at);
    desk_.committed_upto(here.commit);
    if (const auto* claim = std::get_if<waiting_claim>(&what)) {
        serve({.core = core,
               .now = now,
               .here = here,
               .connection = claim->connection,
               .request = claim->request.request},
              claim->request);
    } else if (const auto* read = std::get_if<waiting_read>(&what)) {
        seen_.saw(sight::read_served);
        state::answer found = desk_.read(read->body);
        say(read->connection, read->request,
            read_result{.code = found.reply.code,
                        .index = found.index,
                        .epoch = here.epoch,
                        .body = std::move(found.reply.body)});
        answers_.back().rests_on = found.index;
    } else if (const auto* why = std::get_if<waiting_refusal>(&what)) {
        say(why->connection, why->request,
            refused{.code = desk_.why_not(why->session, why->seq).code, .epoch = here.epoch});
    }
}

std::optional<state::unusable_entry> reception::entered_office(
    const replica::core& core, const replica::entered_office& what) {
    const std::vector<replica::entry_ptr> tail =
        core.entries_from(desk_.log_beyond_base().last().next());
    std::vector<state::log_record> records;
    records.reserve(tail.size());
    for (const replica::entry_ptr& entry : tail) {
        records.push_back(record_of(*entry));
    }
    uses_.office_changed();
    return desk_.entered_office(what.first_uncommitted, records);
}

void reception::left_office(const standing& here) {
    uses_.office_changed();
    const std::vector<state::delivery> unknown = desk_.left_office();
    newest_.reset();
    if (!unknown.empty()) {
        seen_.saw(sight::dropped_overlay);
    }
    for (const state::delivery& result : unknown) {
        deliver(here, result, nullptr);
    }
    for (const auto& [ticket, what] : std::exchange(waiting_, {})) {
        std::visit(
            [&]<class What>(const What& asked) {
                request_id request;
                if constexpr (std::is_same_v<What, waiting_claim>) {
                    request = asked.request.request;
                } else {
                    request = asked.request;
                }
                say(asked.connection, request,
                    refused{.code = state::result_code::retry_elsewhere, .epoch = here.epoch});
            },
            what);
    }
}

void reception::announced(const standing& here) {
    for (const held_whois& held : std::exchange(held_, {})) {
        say(held.connection, held.request,
            primary_is{.epoch = here.epoch, .primary = here.primary});
    }
}

void reception::release_held(instant now, const standing& here) {
    for (const held_whois& held : held_) {
        if (held.until <= now) {
            say(held.connection, held.request,
                primary_is{.epoch = here.epoch, .primary = here.primary});
        }
    }
    std::erase_if(held_, [&](const held_whois& held) { return held.until <= now; });
}

std::optional<instant> reception::next_release() const {
    if (held_.empty()) {
        return std::nullopt;
    }
    return std::min_element(held_.begin(), held_.end(),
                            [](const auto& a, const auto& b) { return a.until < b.until; })
        ->until;
}

// -- Answers --------------------------------------------------------------------------------------

void reception::deliver(const standing& here,
                        const state::delivery& what,
                        const replica::confirmation* confirmed) {
    if (!state::leaves_entry(what.reply.code)) {
        return say(what.connection, what.request,
                   refused{.code = what.reply.code, .epoch = here.epoch});
    }
    if (what.seq == state::sequence{}) {
        say(what.connection, what.request, session_opened{.session = what.session});
    } else {
        say(what.connection, what.request,
            operation_result{.seq = what.seq,
                             .code = what.reply.code,
                             .index = what.index,
                             .epoch = here.epoch,
                             .durable_on =
                                 confirmed != nullptr ? confirmed->durable_on : std::uint8_t{0},
                             .voters = confirmed != nullptr ? confirmed->voters : std::uint8_t{0},
                             .body = what.reply.body});
    }
    answers_.back().rests_on = what.index;
    answers_.back().session = what.session;
}

void reception::say(connection_id connection,
                    request_id request,
                    decltype(server_answer::what) what) {
    answers_.push_back({.connection = connection,
                        .answer = {.request = request, .what = std::move(what)},
                        .rests_on = {},
                        .session = {}});
}

} // namespace almenara::sim
