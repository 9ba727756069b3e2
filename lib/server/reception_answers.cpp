#include "server/reception.hpp"

#include <string>
#include <variant>

/// What the reception says, and how it says no (C.0).
namespace almenara::server {

namespace {

/// For people; the codes that a refusal without a reply of its own can have.
std::string text_of(state::result_code code) {
    switch (code) {
    case state::result_code::busy:
        return "too much waits already. Try again";
    case state::result_code::invalid:
        return "there is no such user name: it has 1 to 64 bytes, UTF-8, without spaces and "
               "control characters";
    case state::result_code::retry_elsewhere:
        return "this server is not the primary any more, and whether it happened is not known. "
               "Ask the new one";
    case state::result_code::session_expired:
        return "there is no such session any more";
    case state::result_code::unsupported:
        return "this server does not know that kind of request. Is it older than the client?";
    default:
        return std::string{wire::enumerator_name(code)};
    }
}

} // namespace

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
        return say(what.connection, wire::error_reply{.request = what.request,
                                                      .code = what.reply.code,
                                                      .text = text_of(what.reply.code),
                                                      .epoch = epoch});
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
    const almenara::epoch epoch = log_.here().epoch;
    if (const auto* const asked = std::get_if<wire::operation>(&what)) {
        return say(from, wire::operation_result{.request = asked->request,
                                                .seq = asked->seq,
                                                .code = why.code,
                                                .epoch = epoch,
                                                .body = std::move(why.body)});
    }
    if (const auto* const asked = std::get_if<wire::read>(&what)) {
        return say(from, wire::read_result{.request = asked->request,
                                           .code = why.code,
                                           .epoch = epoch,
                                           .age = {},
                                           .body = {}});
    }
    say(from, wire::error_reply{
                  .request = std::visit([](const auto& asked) { return asked.request; }, what),
                  .code = why.code,
                  .text = text_of(why.code),
                  .epoch = epoch});
}

void reception::redirect(connection_id from, request_id request) {
    const standing& here = log_.here();
    wire::redirect away{.request = request, .epoch = here.epoch, .primary = here.primary};
    // Who comes back from here at once would only be sent away again.
    if (away.primary && away.primary->id == here.self) {
        away.primary.reset();
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
