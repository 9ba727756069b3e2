#include "server/client_session.hpp"
#include "server/waiting_room.hpp"
#include "wire/client_messages.hpp"

#include <fmt/format.h>

#include <utility>

/// What a session passes on, and how the answers come back (C.0).
namespace almenara::server {

bool client_session::may_ask(instant now, std::string_view what, request_id number) {
    if (!is_inside()) {
        end(now, wire::bye_reason::broke_rules, fmt::format("{} before the hello", what));
        return false;
    }
    if (unanswered_.contains(number)) {
        // Nobody could tell two answers from each other.
        end(now, wire::bye_reason::broke_rules,
            fmt::format("request {} came again before it was answered", number));
        return false;
    }
    return true;
}

void client_session::on(instant now, wire::login&& asked) {
    if (may_ask(now, "a login", asked.request)) {
        ask(std::move(asked));
    }
}

void client_session::on(instant now, wire::attach&& asked) {
    // With trust nobody else knows the number of a session, which is random.
    if (may_ask(now, "an attach", asked.request)) {
        ask(std::move(asked));
    }
}

void client_session::on(instant now, wire::whois&& asked) {
    if (may_ask(now, "a whois", asked.request)) {
        ask(std::move(asked));
    }
}

void client_session::on(instant now, wire::session_close&& asked) {
    if (may_ask(now, "a session_close", asked.request)) {
        ask_if_known(std::move(asked));
    }
}

void client_session::on(instant now, wire::operation&& asked) {
    if (may_ask(now, "an operation", asked.request)) {
        ask_if_known(std::move(asked));
    }
}

void client_session::on(instant now, wire::read&& asked) {
    if (may_ask(now, "a read", asked.request)) {
        ask_if_known(std::move(asked));
    }
}

void client_session::on(instant now, wire::admin&& asked) {
    if (!may_ask(now, "a wish of an administrator", asked.request)) {
        return;
    }
    // Only its number goes into a refusal.
    wire::whois refused;
    refused.request = asked.request;
    if (!is_administrator_) {
        return say_answer(refusal_of(refused, is_known_ ? wire::result_code::forbidden
                                                        : wire::result_code::unauthenticated));
    }
    if (!has_room_for(sizeof(asked))) {
        return say_answer(refusal_of(refused, wire::result_code::busy));
    }
    has_asked_ = true;
    unanswered_.emplace(asked.request, sizeof(asked));
    unanswered_weight_ += sizeof(asked);
    host_.asks(id_, asked);
}

void client_session::ask_if_known(client_request&& what) {
    if (is_known_) {
        return ask(std::move(what));
    }
    say_answer(refusal_of(what, wire::result_code::unauthenticated));
}

void client_session::ask(client_request&& what) {
    const std::size_t weight = weight_of(what);
    if (!has_room_for(weight)) {
        return say_answer(refusal_of(what, wire::result_code::busy));
    }
    has_asked_ = true;
    unanswered_.emplace(number_of(what), weight);
    unanswered_weight_ += weight;
    host_.asks(id_, std::move(what));
}

bool client_session::has_room_for(std::size_t weight) const {
    return unanswered_.size() < limits_.most_unanswered &&
           unanswered_weight_ + weight <= limits_.largest_unanswered;
}

void client_session::answer(instant now, client_answer&& what) {
    if (!is_inside()) {
        return;
    }
    if (const auto asked = unanswered_.extract(number_of(what)); !asked.empty()) {
        unanswered_weight_ -= asked.mapped();
    }
    if (auto* const login = std::get_if<wire::login_ok>(&what)) {
        is_administrator_ = login->administrator || origin_ == client_origin::local_administrator;
        login->administrator = is_administrator_;
        become_known();
    } else if (std::holds_alternative<wire::attached>(what)) {
        become_known();
    }
    say_answer(what);
    if (has_heard_all_ && unanswered_.empty()) {
        become_farewell(now);
    }
}

void client_session::push(base::byte_view frame) {
    if (is_inside()) {
        outbox_.insert(outbox_.end(), frame.begin(), frame.end());
    }
}

void client_session::dismiss(instant now, std::string why) {
    if (is_inside()) {
        end(now, wire::bye_reason::done, std::move(why));
    }
}

void client_session::become_known() {
    is_known_ = true;
    decoder_.set_largest_frame(wire::largest_control_frame);
}

void client_session::say_answer(const client_answer& what) {
    std::visit(
        [this](const auto& told) { wire::append_message<wire::client_messages>(told, outbox_); },
        what);
}

} // namespace almenara::server
