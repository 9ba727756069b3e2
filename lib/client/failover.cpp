#include "client/failover.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace almenara::client {

namespace {

using namespace std::chrono_literals;

// C.3 and B.13.
constexpr duration whois_hold = 1s;
/// Who was named has so much time to say who it is before others are asked instead.
constexpr duration hint_after = 250ms;

/// The random numbers of the ear and of the device have sequences of their own.
constexpr std::uint64_t ears_own = 0x6561'7220'6561'7220;
constexpr std::uint64_t devices_own = 0x6465'7669'6365'7320;

/// Different clients and openings never get the same bytes.
template <class Nonce>
Nonce a_nonce(base::generator& random) {
    std::array<std::byte, 16> bytes{};
    for (std::byte& each : bytes) {
        each = static_cast<std::byte>(random.below(256));
    }
    return Nonce{bytes};
}

/// What is not remembered is made anew.
device_nonce a_device(std::uint64_t seed) {
    base::generator random{seed ^ devices_own};
    return a_nonce<device_nonce>(random);
}

std::chrono::milliseconds time_left(instant deadline, instant now) {
    if (deadline == instant::max()) {
        return 0ms; // It does not say.
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now);
    return std::max(left, 1ms);
}

} // namespace

void failover_output::clear() {
    keep.clear();
    send.clear();
    close.clear();
    dial.clear();
    datagrams.clear();
    news.clear();
    wake = instant::max();
}

void failover_output::swap(failover_output& other) noexcept {
    keep.swap(other.keep);
    send.swap(other.send);
    close.swap(other.close);
    dial.swap(other.dial);
    datagrams.swap(other.datagrams);
    news.swap(other.news);
    std::swap(wake, other.wake);
}

failover::failover(failover_options options, instant now)
    : options_(std::move(options)),
      random_(options_.seed),
      routes_(options_.servers),
      nonce_(a_nonce<open_nonce>(random_)),
      wants_session_(options_.opens_session),
      ear_(options_.seed ^ ears_own),
      hint_at_(now + hint_after),
      device_(a_device(options_.seed)) {
    ALMENARA_CHECK(!options_.servers.empty());
    look_for_primary(now);
}

// -- What is asked --------------------------------------------------------------------------------

outcome<ticket> failover::add(errand what) {
    if (left_) {
        return failure{failure_kind::cancelled, "this client has said goodbye"};
    }
    return errands_.add(std::move(what));
}

outcome<ticket> failover::write(base::byte_vector body, instant deadline) {
    return add({.kind = errand_kind::write, .body = std::move(body), .deadline = deadline});
}

outcome<ticket> failover::read(base::byte_vector body, wire::read_mode mode, instant deadline) {
    return add(
        {.kind = errand_kind::read, .body = std::move(body), .mode = mode, .deadline = deadline});
}

outcome<ticket> failover::administer(wire::admin what, instant deadline) {
    return add({.kind = errand_kind::administer, .administration = what, .deadline = deadline});
}

outcome<ticket> failover::log_in(instant deadline) {
    return add({.kind = errand_kind::log_in, .deadline = deadline});
}

outcome<ticket> failover::close_session(instant deadline) {
    return add({.kind = errand_kind::close_session, .deadline = deadline});
}

/// C.1: nothing is executed again under a new session. What is still said of the old one must not
/// be heard as if it were about the new one: its connections are closed.
void failover::end_session(instant now, const std::string& why) {
    if (session_ && keeping_.session != kept_state::no) {
        out_.keep.emplace_back(forget_session{*session_});
    }
    // Nobody has used it in this run: what was never sent goes to the next one.
    const bool was_resting = std::exchange(keeping_, keeping{}).resting_at.has_value();
    for (const ticket which : errands_.tickets()) {
        const errand& one = *errands_.find(which);
        const bool unknown = one.sent || one.in_doubt;
        if (one.kind == errand_kind::close_session) {
            finish(which, answer{});
        } else if (one.seq && (unknown || !was_resting)) {
            finish(
                which,
                answer{unknown ? wire::result_code::uncertain : wire::result_code::cancelled, why});
        }
    }
    errands_.forget_sequences();
    session_.reset();
    nonce_ = a_nonce<open_nonce>(random_);
    while (!lines_.empty()) {
        drop(lines_.begin()->first);
    }
    look_for_primary(now, a_pause());
}

// -- One turn -------------------------------------------------------------------------------------

failover_output failover::take_output(instant now) {
    failover_output output;
    take_output(now, output);
    return output;
}

void failover::take_pending(failover_output& into) {
    into.clear();
    into.swap(out_);
}

void failover::take_output(instant now, failover_output& into) {
    if (!left_) {
        for (auto& [link, each] : lines_) {
            if (each.talk) {
                each.talk->tick(now);
            }
        }
        drain_all(now);
        close_silent(now);
        end_overdue(now);
        leave_doubted(now);
        doubt_claim(now);
        end_barred(now);
        try_next(now);
        if (unkept_) {
            refuse_writes_from(sequence{}, *unkept_);
        }
        use_hint(now);
        greet_anew(now);
        const bool doubted = is_doubted(now);
        for (auto& [number, way] : routes_.all()) {
            if (is_wanted(number, doubted)) {
                dial(number, way, now);
            }
        }
        for (auto& [link, each] : lines_) {
            if (is_wanted(each.route, doubted)) {
                speak(each, now, doubted);
            }
        }
        keep_standby(now);
        if (serving_ && lines_.size() > 1 && !is_doubted(now)) {
            close_others();
        }
        drain_all(now);
        register_with_servers(now);
        end_hopeless();
        note_cluster();
        out_.wake = next_wake(now);
    }
    take_pending(into);
}

void failover::speak(line& to, instant now, bool doubted) {
    if (!to.talk || !to.talk->is_open()) {
        return;
    }
    const bool is_idle = is_standby(to) && chosen_ && !guessing_ && !doubted;
    if (is_followed(to)) {
        introduce(to, now);
        send_errands(to, now);
        check_service(to, now);
    } else if (is_idle) {
        stand_by(to, now);
    }
    if (is_hinted(to.route) || (!is_followed(to) && !is_idle)) {
        ask_who_rules(to, now);
    }
}

void failover::ask_who_rules(line& to, instant now) {
    if (!is_asked(to, question::whois) && now >= routes_.at(to.route).whois_at) {
        wire::whois who;
        who.wait = std::chrono::duration_cast<std::chrono::milliseconds>(whois_hold);
        ask(to, now, {.what = question::whois}, who);
    }
}

bool failover::needs_session() const {
    return wants_session_ || errands_.any(errand_kind::write);
}

/// C.1: who asks, and in which session. The session is opened in the same round trip, by a nonce:
/// whoever hears it again gives the same session.
void failover::introduce(line& to, instant now) {
    if (waits_for_memory()) {
        return;
    }
    const bool must_open = needs_session() && !session_;
    if (!to.logged_in || must_open) {
        const bool is_under_way =
            is_asked(to, question::login) || is_asked(to, question::open_session);
        const bool is_pointless = login_refused_ && !errands_.any_asked();
        if (!is_under_way && !is_pointless) {
            ask_to_log_in(to, now, must_open ? question::open_session : question::login);
        }
    } else if (must_attach() && !to.attached && !is_asked(to, question::attach)) {
        ask_to_attach(to, now, question::attach);
    }
}

/// For service, or for a place that is only kept.
void failover::ask_to_attach(line& to, instant now, question what) {
    const bool stands_by = what == question::stand_by;
    ask(to, now, {.what = what},
        wire::attach{.mode = stands_by ? wire::attach_mode::standby : wire::attach_mode::service,
                     .session = session_.value_or(session_id{}),
                     .next = errands_.next_sequence(),
                     .first_unacked = errands_.first_unacked(),
                     .last_seen = last_seen_,
                     .epoch_seen = epoch_seen_});
}

void failover::ask_to_log_in(line& to, instant now, question what) {
    wire::login who{.user = options_.user, .device_name = options_.device_name};
    who.device = device_;
    if (what == question::open_session) {
        who.nonce = nonce_;
    }
    ask(to, now, {.what = what}, std::move(who));
}

void failover::send_errands(line& to, instant now) {
    if (!to.logged_in || waits_for_resumed(to)) {
        return;
    }
    bool writes_wait = false;
    for (auto next = errands_.unsent_behind(ticket{}); next && errands_.has_place();
         next = errands_.unsent_behind(*next)) {
        errand& one = *errands_.find(*next);
        const bool is_write = one.kind == errand_kind::write;
        if (is_write && writes_wait) {
            continue;
        }
        if (errands_.may_send(one, window_, now)) {
            send(to, *next, one, now);
        } else if (is_write && now >= one.send_at) {
            writes_wait = true; // C.3: in their order, also past one that is too large for now.
        }
    }
}

void failover::send(line& to, ticket number, errand& one, instant now) {
    const asked about{.what = question::errand, .ticket = number};
    bool sent = false;
    switch (one.kind) {
    case errand_kind::log_in:
        if (!must_attach() || to.attached) {
            finish(number, answer{});
        }
        return;
    case errand_kind::write:
        if (!to.attached || !is_kept(one)) {
            return;
        }
        sent = ask(to, now, about,
                   wire::operation{.session = *session_,
                                   .seq = *one.seq,
                                   .first_unacked = errands_.first_unacked(),
                                   .epoch_seen = epoch_seen_,
                                   .last_seen = last_seen_,
                                   .deadline = time_left(one.deadline, now),
                                   .body = one.body});
        break;
    case errand_kind::read:
        if (errands_.resumed() > 0) {
            return; // It shall see what they did.
        }
        sent = ask(to, now, about,
                   wire::read{.mode = one.mode,
                              .epoch_seen = epoch_seen_,
                              .last_seen = last_seen_,
                              .body = one.body});
        break;
    case errand_kind::administer:
        sent = ask(to, now, about, one.administration);
        break;
    case errand_kind::close_session:
        if (!session_) {
            finish(number, answer{});
            return;
        }
        if (!to.attached || errands_.any(errand_kind::write)) {
            return;
        }
        sent = ask(to, now, about, wire::session_close{.session = *session_});
        break;
    }
    if (sent) {
        errands_.sent(number);
        if (one.seq) {
            keeping_.unused_from = std::max(keeping_.unused_from, one.seq->next());
        }
    }
}

/// Says that there is a primary again, once it takes what is asked.
void failover::check_service(const line& to, instant now) {
    // Any server lets in whom it knows; that one rules it shows by an answer.
    if (serving_ || !to.logged_in || (must_attach() && !to.attached) || guessing_) {
        return;
    }
    serving_ = true;
    served_last_ = to.route;
    if (lost_at_) {
        out_.news.emplace_back(reconnected{.server = to.server,
                                           .epoch = epoch_seen_,
                                           .after = now - *lost_at_,
                                           .told_by = told_by_});
        lost_at_.reset();
    }
}

template <class Request>
bool failover::ask(line& to, instant now, asked what, Request request) {
    const auto number = to.talk->ask(std::move(request), instant::max());
    if (!number) {
        // Too much waits there already: it goes when something has come back. Unless nothing waits:
        // then its numbers are used up.
        to.worn_out = to.questions.empty();
        return false;
    }
    if (to.questions.empty()) {
        to.waiting_since = now;
    }
    to.questions.put(*number, what);
    return true;
}

bool failover::is_asked(const line& to, question what) {
    return std::any_of(to.questions.begin(), to.questions.end(),
                       [what](const auto& one) { return one.second.what == what; });
}

instant failover::next_wake(instant now) const {
    instant wake = errands_.wake(now);
    // What is due already and was not done waits for something else than time.
    const auto at = [&](instant when) {
        if (when > now) {
            wake = std::min(wake, when);
        }
    };
    const auto doubted_from = doubted_at();
    const bool doubted = doubted_from && now >= *doubted_from;
    for (const auto& [number, way] : routes_.all()) {
        if (is_wanted(number, doubted) || (!chosen_ && tries_others())) {
            at(way.link ? way.whois_at : earliest_dial(number, way));
        }
    }
    at(doubted_from.value_or(instant::max()));
    at(ear_.next_wake());
    if (claim_ && claim_->waited_since) {
        at(*claim_->waited_since + longest_silence);
    }
    if (!standby_) {
        at(standby_at_);
    }
    at(options_.hint && !cluster_ ? hint_at_ : instant::max());
    for (const auto& [link, each] : lines_) {
        at(silent_from(each));
        if (each.talk) {
            at(each.talk->next_deadline().value_or(instant::max()));
        }
    }
    return wake;
}

duration failover::a_pause() {
    return random_.between(20ms, 150ms);
}

} // namespace almenara::client
