#include "sim/check/client.hpp"
#include "sim/check/kv_words.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

/// The part of the client that hears.
namespace almenara::sim::check {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t redirects_per_second = 5;

} // namespace

template <class Other>
void kv_client::hear(const Other&, const answering& to) {
    found_.report("C.0", "client {}: server {} answers by a {}, which nobody asked for",
                  habits_.number, to.server, wire::name_of<Other>());
}

void kv_client::hear(const wire::login_ok& told, const answering& to) {
    if (!told.session) {
        found_.report("C.0", "client {}: server {} opens no session", habits_.number, to.server);
        return;
    }
    // C.1: the same nonce gives the same session, whoever opens it and however often.
    if (session_ && *session_ != *told.session && !habits_.sessions_expire_soon) {
        found_.report("C.1", "client {} opened session {} and, by the same nonce, {}",
                      habits_.number, *session_, *told.session);
    }
    session_ = told.session;
}

/// I19: what it follows is never older than what it has seen. A server of an older epoch had to
/// find out by a probe round that it is none any more (B.5.1).
void kv_client::hear(const wire::attached& told, const answering& to) {
    if (chosen_ != to.server || !session_) {
        return; // by now it is looking elsewhere
    }
    if (told.epoch < epoch_seen_) {
        found_.report("I19", "client {} has seen epoch {} and is served by server {} of epoch {}",
                      habits_.number, epoch_seen_, to.server, told.epoch);
    }
    epoch_seen_ = std::max(epoch_seen_, told.epoch);
    attached_ = true;
    close_others();
}

void kv_client::hear(const wire::operation_result& told, const answering& to) {
    if (told.index == log_index{}) {
        return refused(told.code, to);
    }
    epoch_seen_ = std::max(epoch_seen_, told.epoch);
    if (const auto place = open_.find(to.question); place != open_.end()) {
        end(to.question, to.now, reply_of(place->second.request, told.code, told.index, told.body));
    }
}

void kv_client::hear(const wire::read_result& told, const answering& to) {
    if (told.index == log_index{}) {
        return refused(told.code, to);
    }
    epoch_seen_ = std::max(epoch_seen_, told.epoch);
    if (const auto place = open_.find(to.question); place != open_.end()) {
        end(to.question, to.now, reply_of(place->second.request, told.code, told.index, told.body));
    }
}

void kv_client::hear(const wire::primary_is& told, const answering& to) {
    if (chosen_) {
        return; // another one was quicker
    }
    if (told.primary && told.epoch >= epoch_seen_) {
        epoch_seen_ = told.epoch;
        follow(told.primary->id);
    } else {
        lines_.at(to.server).whois_at = to.now + a_pause();
    }
}

void kv_client::hear(const wire::redirect& told, const answering& to) {
    if (chosen_ != to.server) {
        return;
    }
    // C.3: one that knows less than the client leads nowhere.
    if (told.primary && told.epoch >= epoch_seen_ && !is_one_redirect_too_many(to.now)) {
        epoch_seen_ = told.epoch;
        look_for_primary(to.now);
        follow(told.primary->id);
    } else {
        look_for_primary(to.now + a_pause());
    }
}

bool kv_client::is_one_redirect_too_many(instant now) {
    std::erase_if(redirects_, [now](instant then) { return then + 1s <= now; });
    redirects_.push_back(now);
    return redirects_.size() > redirects_per_second;
}

void kv_client::hear(const wire::error_reply& told, const answering& to) {
    refused(told.code, to);
}

void kv_client::refused(wire::result_code code, const answering& to) {
    if (code == state::result_code::session_expired) {
        end_session(to.now);
    } else if (open_.contains(to.question)) {
        refused_operation(code, to);
    } else if (!chosen_ || chosen_ == to.server) {
        look_for_primary(to.now + a_pause());
    }
}

void kv_client::refused_operation(wire::result_code code, const answering& to) {
    pending& one = open_.at(to.question);
    switch (code) {
    case state::result_code::invalid:
    case state::result_code::too_large:
    case state::result_code::forbidden:
    case state::result_code::quota:
        end(to.question, to.now, {.code = outcome::refused});
        break;
    case state::result_code::stale:
        // C.1: only what ended falls below first_unacked.
        found_.report("C.1", "client {} is told STALE for seq {} and waits for its result",
                      habits_.number, one.seq.value_or(state::sequence{}));
        break;
    case state::result_code::busy:
        if (chosen_ == to.server) {
            one.sent = false;
            one.send_at = to.now + a_pause();
        }
        break;
    default:
        if (chosen_ == to.server) {
            look_for_primary(to.now + a_pause());
        }
        break;
    }
}

void kv_client::heard(instant now, connection_id connection, const server_answer& answer) {
    const auto place = connections_.find(connection);
    if (place == connections_.end()) {
        return;
    }
    line& from = lines_.at(place->second);
    const request_id number = almenara::server::number_of(answer);
    const auto asked = from.asked.find(number);
    if (asked == from.asked.end()) {
        found_.report("C.0", "client {}: server {} answers a request {} that nobody made",
                      habits_.number, place->second, number);
        return;
    }
    const answering to{.server = place->second, .question = asked->second, .now = now};
    from.asked.erase(asked);
    from.waiting_since = now;
    std::visit([&](const auto& told) { hear(told, to); }, answer);
}

} // namespace almenara::sim::check
