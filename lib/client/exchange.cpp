#include "client/exchange.hpp"

#include "base/check.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>

namespace almenara::client {

namespace {

/// What a server says to people, fit for a line on a terminal.
std::string said(std::string_view text) {
    constexpr std::size_t longest = 400;
    return base::escaped(base::trimmed(text.substr(0, longest)));
}

/// "the server is full: come back later", or without the colon if it said
/// nothing more than that.
std::string with_words(std::string what, std::string_view text) {
    // The sentence goes on behind these words; a full stop of their own would double it.
    std::string words = said(text);
    while (words.ends_with('.')) {
        words.pop_back();
    }
    return words.empty() || words == what ? what : fmt::format("{}: {}", what, words);
}

failure rejected(const wire::reject& message) {
    std::string_view what = "the server turned this client away";
    switch (message.code) {
    case wire::reject_code::full:
        what = "the server has no room for another client";
        break;
    case wire::reject_code::protocol:
        what = "the server does not speak this version of the protocol";
        break;
    case wire::reject_code::denied:
        what = "the server does not let this client in";
        break;
    case wire::reject_code::stopping:
        what = "the server is going down";
        break;
    }
    const bool versions_differ = message.code == wire::reject_code::protocol;
    failure why{versions_differ ? failure_kind::mismatch : failure_kind::rejected,
                with_words(std::string{what}, message.text)};
    why.reject = message.code;
    why.retry_after = message.retry_after;
    return why;
}

failure closed_by(const wire::bye& message) {
    std::string_view what = "the server said goodbye";
    switch (message.reason) {
    case wire::bye_reason::done:
        break;
    case wire::bye_reason::stopping:
        what = "the server is going down";
        break;
    case wire::bye_reason::silent:
        what = "the server heard nothing from this client for too long";
        break;
    case wire::bye_reason::too_slow:
        what = "this client was too slow for the server";
        break;
    case wire::bye_reason::broke_rules:
        what = "the server could not make sense of what this client said";
        break;
    }
    failure why{failure_kind::closed, with_words(std::string{what}, message.text)};
    why.bye = message.reason;
    why.retry_after = message.retry_after;
    return why;
}

} // namespace

failure declined(const wire::error_reply& message) {
    std::string_view what = "the server declined";
    if (message.code == wire::result_code::busy) {
        what = "the server is busy";
    } else if (message.code == wire::result_code::unsupported) {
        what = "the server does not know this request";
    }
    failure why{failure_kind::declined, with_words(std::string{what}, message.text)};
    why.refusal = message.code;
    why.retry_after = message.retry_after;
    return why;
}

void exchange_output::clear() {
    say.clear();
    finish = false;
    events.clear();
}

void exchange_output::swap(exchange_output& other) noexcept {
    say.swap(other.say);
    std::swap(finish, other.finish);
    events.swap(other.events);
}

exchange::exchange(conversation_options options, instant open_by)
    : options_(std::move(options)),
      last_request_(1),
      role_(opening{.hello = last_request_, .open_by = open_by}) {
    ALMENARA_CHECK(options_.ask_after < options_.dead_after);
    output_.say.emplace_back(wire::c_hello{.request = last_request_,
                                           .client_name = options_.client_name,
                                           .epoch_seen = options_.epoch_seen,
                                           .config_seen = options_.config_seen});
}

outcome<request_id> exchange::expect(waiting what) {
    auto* const now_open = std::get_if<open>(&role_);
    if (now_open == nullptr) {
        return failure{failure_kind::closed, "the connection is not open"};
    }
    // The upper half is left to the probes, which must never run out.
    const bool numbers_used_up =
        last_request_.value() >= std::numeric_limits<request_id::rep>::max() / 2;
    if (now_open->requests.size() >= options_.most_waiting || numbers_used_up) {
        return failure{failure_kind::busy,
                       fmt::format("{} requests wait for an answer on this connection already",
                                   now_open->requests.size())};
    }
    last_request_ = last_request_.next();
    now_open->requests.put(last_request_, what);
    if (what.deadline != instant::max()) {
        now_open->deadlines.emplace(what.deadline, last_request_);
    }
    return last_request_;
}

std::optional<exchange::waiting> exchange::stop_waiting(request_id request) {
    auto* const now_open = std::get_if<open>(&role_);
    if (now_open == nullptr) {
        return std::nullopt;
    }
    const auto was = now_open->requests.take(request);
    if (was && was->deadline != instant::max()) {
        now_open->deadlines.erase({was->deadline, request});
    }
    return was;
}

void exchange::take_output(exchange_output& into) {
    into.clear();
    into.swap(output_);
}

void exchange::set_patience(duration ask_after, duration dead_after) {
    ALMENARA_CHECK(ask_after < dead_after);
    options_.ask_after = ask_after;
    options_.dead_after = dead_after;
}

void exchange::leave() {
    if (is_over()) {
        return;
    }
    const wire::bye goodbye{.reason = wire::bye_reason::done};
    output_.say.emplace_back(goodbye);
    become_over(failure{failure_kind::cancelled, "this client gave up waiting"});
}

void exchange::sign_of_life(instant now) {
    if (auto* const now_open = std::get_if<open>(&role_)) {
        now_open->heard = now;
        now_open->probed.reset();
    }
}

void exchange::heard(from_server&& message, instant now) {
    if (is_over()) {
        return;
    }
    sign_of_life(now);
    std::visit([&](auto& what) { on_message(std::move(what), now); }, message);
}

void exchange::stream_ended(std::error_code why) {
    if (is_over()) {
        return;
    }
    failure ending{failure_kind::closed, "the server closed the connection without a word"};
    if (why) {
        ending.why = fmt::format("the connection broke: {}", why.message());
        ending.cause = why;
    }
    become_over(std::move(ending));
}

void exchange::become_open(wire::welcome welcome, instant now) {
    role_ = open{.requests = {}, .deadlines = {}, .heard = now, .probed = {}};
    output_.events.push_back(opened{std::move(welcome)});
}

void exchange::become_over(failure why) {
    if (const auto* const was = std::get_if<open>(&role_)) {
        for (const auto& [request, expected] : was->requests) {
            output_.events.push_back(failed{request, why});
        }
    }
    role_ = over{};
    output_.finish = true;
    output_.events.push_back(ended{std::move(why)});
}

void exchange::break_off(std::string why) {
    if (is_over()) {
        return;
    }
    const bool was_open = is_open();
    const wire::bye goodbye{.reason = wire::bye_reason::broke_rules, .text = why};
    output_.say.emplace_back(goodbye);
    become_over(failure{failure_kind::broken_rules,
                        fmt::format("{}: {}",
                                    was_open ? "the server's answer makes no sense"
                                             : "what answers there is not an Almenara server",
                                    why)});
}

void exchange::on_message(wire::welcome&& message, instant now) {
    const auto* const at_door = std::get_if<opening>(&role_);
    if (at_door == nullptr || message.request != at_door->hello) {
        break_off("a welcome that nobody asked for");
        return;
    }
    if (message.protocol != wire::protocol_version) {
        const wire::bye goodbye{.reason = wire::bye_reason::done,
                                .text = "another version of the protocol"};
        output_.say.emplace_back(goodbye);
        become_over(failure{failure_kind::mismatch,
                            fmt::format("the server speaks version {} of the protocol and this "
                                        "client version {}",
                                        message.protocol, wire::protocol_version)});
        return;
    }
    become_open(std::move(message), now);
}

void exchange::on_message(wire::reject&& message, instant) {
    if (is_open()) {
        break_off("a rejection after the welcome");
        return;
    }
    become_over(rejected(message));
}

void exchange::on_message(wire::ping&& message, instant) {
    const wire::pong answer{.request = message.request};
    output_.say.emplace_back(answer);
}

void exchange::on_message(wire::bye&& message, instant) {
    become_over(closed_by(message));
}

void exchange::on_message(wire::error_reply&& message, instant) {
    if (!is_open()) {
        become_over(declined(message)); // It answers the C_HELLO, whatever number it names.
        return;
    }
    if (message.request > last_request_) {
        break_off("an answer to a request that was never made");
        return;
    }
    if (stop_waiting(message.request)) {
        output_.events.push_back(failed{message.request, declined(message)});
    }
}

void exchange::on_message(wire::members&& message, instant) {
    if (!is_open()) {
        break_off("news before the welcome");
        return;
    }
    output_.events.emplace_back(told{std::move(message)});
}

template <class Reply>
void exchange::on_message(Reply&& message, instant) {
    constexpr auto type = wire::type_of<wire::client_messages, std::remove_cvref_t<Reply>>();
    if (!is_open() || message.request > last_request_) {
        break_off("an answer to a request that was never made");
        return;
    }
    const auto was = stop_waiting(message.request);
    if (!was) {
        return; // The answer to a probe, or one that comes after its deadline.
    }
    constexpr bool redirects = std::same_as<std::remove_cvref_t<Reply>, wire::redirect>;
    if (was->answer != type && !(redirects && was->may_redirect)) {
        // It is not waited for any more, but its caller must hear how it ended.
        failure why{failure_kind::broken_rules, "the server's answer is to another question"};
        output_.events.emplace_back(failed{message.request, std::move(why)});
        break_off("an answer of the wrong type");
        return;
    }
    const request_id request = message.request;
    output_.events.emplace_back(answered{request, std::forward<Reply>(message)});
}

/// When a silent server is asked whether it is there, and after that when it counts as gone. The
/// second is counted from the question: a client that slept itself must not blame the server.
instant exchange::silence_judged_at(const open& now_open) const {
    return now_open.probed ? *now_open.probed + (options_.dead_after - options_.ask_after)
                           : now_open.heard + options_.ask_after;
}

std::optional<instant> exchange::next_deadline() const {
    if (const auto* const at_door = std::get_if<opening>(&role_)) {
        return at_door->open_by;
    }
    const auto* const now_open = std::get_if<open>(&role_);
    if (now_open == nullptr) {
        return std::nullopt;
    }
    instant next = silence_judged_at(*now_open);
    if (!now_open->deadlines.empty()) {
        next = std::min(next, now_open->deadlines.begin()->first);
    }
    return next;
}

void exchange::tick(instant now) {
    if (const auto* const at_door = std::get_if<opening>(&role_)) {
        if (now >= at_door->open_by) {
            become_over(failure{failure_kind::timed_out,
                                "it is connected, but no welcome came within the time"});
        }
        return;
    }
    auto* const now_open = std::get_if<open>(&role_);
    if (now_open == nullptr) {
        return;
    }
    fail_overdue(*now_open, now);
    if (now < silence_judged_at(*now_open)) {
        return;
    }
    if (now_open->probed) {
        become_over(failure{failure_kind::closed,
                            fmt::format("the server is connected, but has said nothing for {}",
                                        almenara::to_string(options_.dead_after))});
        return;
    }
    last_request_ = last_request_.next();
    output_.say.emplace_back(wire::ping{last_request_});
    now_open->probed = now;
}

void exchange::fail_overdue(open& now_open, instant now) {
    while (!now_open.deadlines.empty() && now_open.deadlines.begin()->first <= now) {
        const request_id late = now_open.deadlines.begin()->second;
        static_cast<void>(stop_waiting(late));
        failure why{failure_kind::timed_out, "no answer came within the time"};
        output_.events.emplace_back(failed{late, std::move(why)});
    }
}

} // namespace almenara::client
