#include "server/reception.hpp"

#include <utility>
#include <variant>

/// What the reception says, and how it says no (C.0).
namespace almenara::server {

void reception::deliver(const state::delivery& what) {
    const almenara::epoch epoch = log_.here().epoch;
    decltype(logins_)::node_type login;
    if (what.label == state::update_label::session_open) {
        login = logins_.extract({what.connection, what.request});
    }
    if (what.label == state::update_label::update) {
        const bool recorded = state::leaves_entry(what.reply.code);
        say(what.connection,
            wire::operation_result{
                .request = what.request,
                .seq = what.seq,
                .code = what.reply.code,
                .index = recorded ? what.index : log_index{},
                .epoch = epoch,
                .durable_on = recorded && newest_ ? newest_->durable_on : std::uint8_t{0},
                .voters = recorded && newest_ ? newest_->voters : std::uint8_t{0},
                .body = what.reply.body});
        if (!recorded) {
            return;
        }
    } else if (!state::leaves_entry(what.reply.code)) {
        wire::session_close asked;
        asked.request = what.request;
        return say(what.connection, refusal_of(asked, what.reply.code, epoch));
    } else if (what.label == state::update_label::session_close) {
        say(what.connection, wire::session_closed{.request = what.request,
                                                  .session = what.session,
                                                  .epoch = epoch,
                                                  .index = what.index});
    } else {
        wire::login_ok opened;
        if (!login.empty()) {
            opened = login.mapped();
        }
        opened.request = what.request;
        opened.session = what.session;
        opened.window = bounds_.window;
        opened.epoch = epoch;
        say(what.connection, std::move(opened));
    }
    answers_.back().rests_on = what.index;
    answers_.back().session = what.session;
}

void reception::turn_away(connection_id from, const client_request& what, state::reply why) {
    client_answer refusal = refusal_of(what, why.code, log_.here().epoch);
    if (auto* const result = std::get_if<wire::operation_result>(&refusal)) {
        result->body = std::move(why.body); // What the service says about it.
    }
    say(from, std::move(refusal));
}

void reception::no_room(connection_id from, const client_request& what, bool is_new) {
    turn_away(from, what, {.code = code_without_room(what, is_new), .body = {}});
}

void reception::redirect(connection_id from, request_id request) {
    const standing& here = log_.here();
    wire::redirect away{.request = request, .epoch = here.epoch, .primary = here.primary};
    // Who comes back from here at once would only be sent away again.
    if (away.primary && away.primary->id == here.self) {
        away.primary.reset();
        away.retry_after = limits_.pause_before_back;
    }
    say(from, std::move(away));
}

void reception::say(connection_id to, client_answer&& what) {
    answers_.push_back({.connection = to, .what = std::move(what), .rests_on = {}, .session = {}});
}

void reception::note(sighting::kind what, connection_id connection, session_id session) {
    log_.saw({.what = what, .connection = connection, .session = session});
}

} // namespace almenara::server
