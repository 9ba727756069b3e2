#include "sim/check/client.hpp"

#include "sim/check/kv_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <variant>

namespace almenara::sim::check {

namespace {

using namespace std::chrono_literals;

// C.3 and B.13.
constexpr std::chrono::milliseconds whois_hold = 1s;
constexpr duration whois_stagger = 10ms;
constexpr duration silence = 3s;

// I23: a client that begins nothing new has its answers by then.
constexpr duration time_to_serve = 5s;

/// A run's own: different clients and openings never get the same bytes.
std::array<std::byte, 16> sixteen(base::generator& random) {
    std::array<std::byte, 16> bytes{};
    for (std::byte& each : bytes) {
        each = static_cast<std::byte>(random.below(256));
    }
    return bytes;
}

} // namespace

kv_client::kv_client(const client_habits& habits, history& record, findings& found, instant now)
    : habits_(habits),
      history_(record),
      found_(found),
      random_(habits.seed),
      ideas_(habits.number, habits.keys, random_.next()),
      nonce_(sixteen(random_)),
      next_begin_(now) {
    for (const server_id server : habits_.servers) {
        lines_.emplace(server, line{});
    }
    look_for_primary(now);
}

// -- Connections ----------------------------------------------------------------------------------

void kv_client::dialled(instant, server_id server, connection_id connection) {
    line& to = lines_.at(server);
    to.dialling = false;
    to.connection = connection;
    connections_.emplace(connection, server);
}

void kv_client::dial_failed(instant now, server_id server) {
    line& to = lines_.at(server);
    to.dialling = false;
    to.dial_at = now + a_pause();
    if (chosen_ == server) {
        look_for_primary(now);
    }
}

void kv_client::connection_ended(instant now, connection_id connection) {
    const auto place = connections_.find(connection);
    if (place != connections_.end()) {
        lose(place->second, now);
    }
}

void kv_client::lose(server_id server, instant now) {
    line& to = lines_.at(server);
    connections_.erase(*to.connection);
    to = line{.dial_at = now + a_pause()};
    if (chosen_ == server) {
        look_for_primary(now);
    }
}

void kv_client::close_silent(instant now) {
    for (auto& [server, to] : lines_) {
        if (to.connection && !to.asked.empty() && now >= to.waiting_since + silence) {
            out_.close.push_back(*to.connection);
            lose(server, now);
        }
    }
}

void kv_client::close_others() {
    for (auto& [server, to] : lines_) {
        if (server != chosen_ && to.connection) {
            out_.close.push_back(*to.connection);
            connections_.erase(*to.connection);
            to = line{};
        }
    }
}

// -- Who is primary -------------------------------------------------------------------------------

void kv_client::look_for_primary(instant not_before) {
    chosen_.reset();
    attached_ = false;
    duration later{0};
    for (auto& [server, to] : lines_) {
        to.dial_at = std::max(to.dial_at, not_before + later);
        to.whois_at = std::max(to.whois_at, not_before + later);
        later += whois_stagger;
    }
    for (auto& [number, one] : open_) {
        one.sent = false;
    }
}

void kv_client::follow(server_id server) {
    if (lines_.contains(server)) {
        chosen_ = server;
        attached_ = false;
    }
}

bool kv_client::is_wanted(server_id server) const {
    return !chosen_ || chosen_ == server;
}

// -- Operations -----------------------------------------------------------------------------------

void kv_client::begin_operations(instant now) {
    const duration apart = duration{1s} / static_cast<std::int64_t>(habits_.per_second);
    while (!finishing_since_ && now >= next_begin_ && open_.size() < habits_.in_flight &&
           session_) {
        begin(now);
        // A client that was held up does not catch up with what it did not ask.
        next_begin_ =
            std::max(next_begin_, now - apart) + random_.between(apart / 2, apart * 3 / 2);
    }
}

void kv_client::begin(instant now) {
    pending one{.request = ideas_.next(), .deadline = now + a_deadline()};
    one.body = body_of(one.request);
    operation asked{.client = habits_.number, .request = one.request, .called = now};
    if (one.request.what != verb::get) {
        last_seq_ = last_seq_.next();
        one.seq = last_seq_;
        asked.session = session_->value();
        asked.seq = last_seq_.value();
    }
    one.ticket = history_.called(std::move(asked));
    open_.emplace(next_operation_++, std::move(one));
}

void kv_client::end_overdue(instant now) {
    for (auto place = open_.begin(); place != open_.end();) {
        if (now >= place->second.deadline) {
            history_.given_up(place->second.ticket);
            if (finishing_since_ && now >= *finishing_since_ + time_to_serve) {
                ++unserved_;
            }
            place = open_.erase(place);
        } else {
            ++place;
        }
    }
}

void kv_client::end(std::uint64_t number, instant now, reply heard) {
    const auto place = open_.find(number);
    if (place == open_.end()) {
        return; // it was given up before
    }
    last_seen_ = std::max(last_seen_, heard.index);
    ideas_.learn(place->second.request, heard);
    history_.returned(place->second.ticket, now, std::move(heard));
    open_.erase(place);
}

/// C.1: nothing is executed again under a new session. What is still said of the old one must not
/// be heard as if it were about the new one: its connections are closed.
void kv_client::end_session(instant now) {
    for (const auto& [number, one] : open_) {
        history_.given_up(one.ticket);
    }
    open_.clear();
    session_.reset();
    attached_ = false;
    nonce_ = state::open_nonce{sixteen(random_)};
    last_seq_ = state::sequence{};
    for (auto& [server, to] : lines_) {
        if (to.connection) {
            out_.close.push_back(*to.connection);
            connections_.erase(*to.connection);
            to = line{};
        }
    }
    look_for_primary(now + a_pause());
}

std::size_t kv_client::overdue(instant now) const {
    const auto is_overdue = [now](const auto& one) { return now >= one.second.deadline; };
    return unserved_ +
           static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), is_overdue));
}

state::sequence kv_client::first_unacked() const {
    // Operations stand in the order of their beginning, so the first with a number has the lowest.
    const auto first = std::find_if(open_.begin(), open_.end(),
                                    [](const auto& one) { return one.second.seq.has_value(); });
    return first == open_.end() ? last_seq_.next() : *first->second.seq;
}

// -- One turn -------------------------------------------------------------------------------------

client_output kv_client::take_output(instant now) {
    end_overdue(now);
    begin_operations(now);
    close_silent(now);
    for (auto& [server, to] : lines_) {
        if (to.connection) {
            speak(server, to, now);
        } else if (is_wanted(server)) {
            dial(server, to, now);
        }
    }
    out_.wake = next_wake(now);
    return std::exchange(out_, client_output{});
}

void kv_client::dial(server_id server, line& to, instant now) {
    if (!to.dialling && now >= to.dial_at) {
        to.dialling = true;
        out_.dial.push_back(server);
    }
}

void kv_client::speak(server_id server, line& to, instant now) {
    if (!chosen_) {
        if (!is_asked(to, whois_question) && now >= to.whois_at) {
            send(to, now, whois_question, wire::whois{.request = {}, .wait = whois_hold});
        }
    } else if (chosen_ != server) {
        return;
    } else if (attached_) {
        send_operations(to, now);
    } else if (!session_) {
        if (!is_asked(to, session_question)) {
            send(to, now, session_question,
                 wire::login{.request = {}, .user = "ann", .device_name = {}, .nonce = nonce_});
        }
    } else if (!is_asked(to, attach_question)) {
        send(to, now, attach_question,
             wire::attach{.request = {},
                          .mode = wire::attach_mode::service,
                          .session = *session_,
                          .next = last_seq_.next(),
                          .first_unacked = first_unacked(),
                          .last_seen = last_seen_,
                          .epoch_seen = epoch_seen_});
    }
}

void kv_client::send_operations(line& to, instant now) {
    for (auto& [number, one] : open_) {
        if (one.sent || now < one.send_at) {
            continue;
        }
        one.sent = true;
        client_request asked;
        if (one.seq) {
            asked = wire::operation{.request = {},
                                    .session = *session_,
                                    .seq = *one.seq,
                                    .first_unacked = first_unacked(),
                                    .epoch_seen = epoch_seen_,
                                    .last_seen = last_seen_,
                                    .body = one.body};
        } else {
            asked = wire::read{.request = {},
                               .mode = wire::read_mode::quorum,
                               .epoch_seen = epoch_seen_,
                               .last_seen = last_seen_,
                               .body = one.body};
        }
        send(to, now, number, std::move(asked));
    }
}

void kv_client::send(line& to, instant now, std::uint64_t question, client_request what) {
    last_request_ = last_request_.next();
    std::visit([&](auto& asked) { asked.request = last_request_; }, what);
    if (to.asked.empty()) {
        to.waiting_since = now;
    }
    to.asked.emplace(last_request_, question);
    out_.send.push_back({.connection = *to.connection, .request = std::move(what)});
}

bool kv_client::is_asked(const line& to, std::uint64_t question) const {
    return std::any_of(to.asked.begin(), to.asked.end(),
                       [question](const auto& one) { return one.second == question; });
}

instant kv_client::next_wake(instant now) const {
    instant wake = instant::max();
    // What is due already and was not done waits for something else than time.
    const auto at = [&](instant when) {
        if (when > now) {
            wake = std::min(wake, when);
        }
    };
    if (!finishing_since_) {
        at(next_begin_);
    }
    for (const auto& [number, one] : open_) {
        at(one.deadline);
        at(one.send_at);
    }
    for (const auto& [server, to] : lines_) {
        if (to.connection && !to.asked.empty()) {
            at(to.waiting_since + silence);
        }
        if (is_wanted(server)) {
            at(to.connection ? to.whois_at : to.dial_at);
        }
    }
    return wake;
}

/// Some are impatient: what becomes of their operations nobody ever hears (C.3).
duration kv_client::a_deadline() {
    return random_.chance(habits_.impatient_of_100, 100)
               ? random_.between(50ms, 500ms)
               : random_.between(habits_.deadline_least, habits_.deadline_most);
}

duration kv_client::a_pause() {
    return random_.between(20ms, 150ms);
}

} // namespace almenara::sim::check
