#include "client/failover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

/// The part of the client that hears.
namespace almenara::client {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t redirects_per_second = 5;
constexpr duration futile_pause = 300ms;

/// B.5.2: what does not depend on the state and so is no entry; the same as an error.
bool is_refusal(wire::result_code code) {
    switch (code) {
    case wire::result_code::ok:
    case wire::result_code::conflict:
    case wire::result_code::not_found:
    case wire::result_code::forbidden:
    case wire::result_code::quota:
        return false;
    default:
        return true;
    }
}

} // namespace

void failover::on_event(opened&& what, link_id link, instant now) {
    wire::welcome& welcome = what.welcome;
    found_somebody_ = true;
    {
        line& from = *find(link);
        from.server = welcome.server;
        routes_.at(from.route).trouble.reset();
    }
    if (!admits(welcome, link, now)) {
        return;
    }
    if (line* const admitted = find(link)) {
        admitted->moved =
            welcome.server != server_id{} && routes_.name(admitted->route, welcome.server);
        admitted->config = welcome.config_index;
        admitted->members = welcome.members;
    }
    if (welcome.cluster) {
        ear_.belongs_to(*welcome.cluster, now);
    }
    learn(welcome.config_index, welcome.members, now);
    const line* const from = find(link);
    if (from == nullptr || !welcome.primary) {
        return; // A member no more, or one that knows nobody.
    }
    const bool is_itself = welcome.primary->id == welcome.server;
    if (!hear_of(*welcome.primary, welcome.epoch, *from, now) && !is_itself) {
        look_up_anew(link, now);
    }
}

void failover::on_event(told&& what, link_id link, instant now) {
    line* const admitted = find(link);
    if (admitted == nullptr) {
        return; // It was turned away.
    }
    std::vector<wire::member_address> members;
    std::optional<wire::member_address> primary;
    for (const wire::member_state& each : what.members.servers) {
        members.push_back({.id = each.id, .addresses = each.addresses});
        if (each.up && each.role == wire::server_role::primary) {
            primary = members.back();
        }
    }
    admitted->config = what.members.config_index;
    admitted->members = members;
    learn(what.members.config_index, members, now);
    if (const line* const from = find(link); from != nullptr && primary) {
        hear_of(*primary, what.members.epoch, *from, now);
    }
}

void failover::on_event(ended&& what, link_id link, instant now) {
    failure why = std::move(what.why);
    const bool is_no_such_server =
        why.kind == failure_kind::broken_rules || why.kind == failure_kind::mismatch;
    if (const line* const from = find(link); from != nullptr && is_no_such_server) {
        why.why = fmt::format("{}: {}", routes_.at(from->route).addresses.front(), why.why);
    }
    lose(link, now, std::move(why));
}

std::optional<failover::asked> failover::answered_question(link_id link, request_id request) {
    line* const from = find(link);
    if (from == nullptr) {
        return std::nullopt;
    }
    return from->questions.take(request);
}

void failover::on_event(answered&& what, link_id link, instant now) {
    if (const auto about = answered_question(link, what.request)) {
        find(link)->waiting_since = now;
        const answering from{.link = link, .to = *about, .now = now};
        std::visit([&](auto& message) { hear(std::move(message), from); }, what.reply);
    }
}

void failover::on_event(failed&& what, link_id link, instant now) {
    const auto about = answered_question(link, what.request);
    // The end of the connection follows, and says the same of all that waits.
    if (about && what.why.kind == failure_kind::declined) {
        find(link)->waiting_since = now;
        refused(what.why, {.link = link, .to = *about, .now = now});
    }
}

void failover::hear(wire::primary_is&& told, const answering& from) {
    const line& who = *find(from.link);
    const route_number way = who.route;
    if (told.primary && hear_of(*told.primary, told.epoch, who, from.now)) {
        return;
    }
    refute_hint(way);
    // C.3: who knows less than this client has lost its disk, or belongs to nobody. It may never
    // learn who rules.
    if (is_standby(who) && !is_followed(who) && !told.primary && told.epoch < epoch_seen_) {
        give_up_standby(from.now);
        return;
    }
    // Who names one that may not be followed, by it, would say the same at once.
    const bool is_of_no_use = told.primary && !asks_all();
    routes_.at(way).whois_at = from.now + a_pause() + (is_of_no_use ? futile_pause : 0ms);
    if (!chosen_) {
        trouble_ = failure{failure_kind::no_primary, "no server is primary now"};
    }
    look_up_anew(from.link, from.now);
}

void failover::hear(wire::redirect&& told, const answering& from) {
    const line& who = *find(from.link);
    if (!is_followed(who)) {
        if (is_standby(who) && from.to.what != question::errand) {
            give_up_standby(from.now); // It wants nobody there.
        }
        return;
    }
    if (errand* const one = errands_.find(from.to.ticket);
        one != nullptr && one->kind == errand_kind::administer) {
        errands_.send_again(from.to.ticket, instant{}); // Who sends it on has not begun it.
    }
    // C.3: one that knows less than the client leads nowhere. One that knows nobody leads in no
    // circle either, and is asked again after a pause if it was only tried.
    const bool was_tried = guessing_;
    const bool is_too_many = (told.primary || !was_tried) && is_one_redirect_too_many(from.now);
    if (told.primary && told.epoch >= epoch_seen_ && !is_too_many && may_use(source::redirect)) {
        see(told.epoch, told.primary->id, who.route);
        look_for_primary(from.now);
        follow(*told.primary, source::redirect);
        return;
    }
    trouble_ = elsewhere(told);
    // Whoever knows no primary holds the WHOIS: at first it costs nothing to ask at once.
    const bool may_ask_at_once = !is_too_many && !was_tried && told.retry_after.count() == 0;
    look_for_primary(from.now, may_ask_at_once ? duration{0} : pause_after(told.retry_after));
}

bool failover::is_one_redirect_too_many(instant now) {
    std::erase_if(redirects_, [now](instant then) { return then + 1s <= now; });
    redirects_.push_back(now);
    return redirects_.size() > redirects_per_second;
}

/// C.3: what a client follows is never older than what it has seen. A server of an older epoch had
/// to find out that it is primary no more before it answered (B.5.1).
bool failover::serves_as_of(epoch its_own, const answering& from) {
    if (!is_followed(*find(from.link))) {
        return false; // by now it is looking elsewhere
    }
    if (its_own < epoch_seen_) {
        look_for_primary(from.now, a_pause());
        return false;
    }
    see(its_own, std::nullopt, *chosen_);
    return true;
}

/// Only a primary answers that. What it has said of the members is so, whatever others said.
void failover::rules(epoch its_own, const answering& from) {
    const line& who = *find(from.link);
    guessing_ = guessing_ && !is_followed(who);
    see(its_own, who.server);
    if (!is_followed(who) || its_own < last_served_.at) {
        return; // A late answer of one that was left.
    }
    last_served_ = {.at = its_own, .config = who.config, .members = who.members};
    if (its_own == epoch_seen_) {
        claim_.reset();
        misled_.clear();
    }
    if (last_served_.config < routes_.config()) {
        believe_served(from.now);
    }
}

void failover::hear(wire::login_ok&& told, const answering& from) {
    if (!is_followed(*find(from.link))) {
        find(from.link)->logged_in = true; // Where a place is kept.
        return;
    }
    if (!serves_as_of(told.epoch, from)) {
        return;
    }
    advance_claim(claim::step::let_in, from.now);
    if (from.to.what == question::open_session && !told.session) {
        look_for_primary(from.now, a_pause()); // It answers something else than it was asked.
        return;
    }
    find(from.link)->logged_in = true;
    login_refused_ = false;
    if (told.beacon) {
        ear_.take(*told.beacon, from.now);
    }
    if (told.session && from.to.what == question::open_session) {
        rules(told.epoch, from);
    }
    if (told.session && !session_) {
        session_ = told.session;
        window_ = told.window;
        keep_new_session();
    }
    out_.news.emplace_back(logged_in{std::move(told)});
}

void failover::hear(wire::attached&& told, const answering& from) {
    if (from.to.what == question::stand_by) {
        return stands_by(*find(from.link));
    }
    if (!session_ || !serves_as_of(told.epoch, from)) {
        return;
    }
    if (is_older_than(told)) {
        end_session(from.now, "what was kept of the session is older than the session: was the "
                              "power lost, or the file copied?");
        return;
    }
    find(from.link)->attached = true;
    rules(told.epoch, from);
    keeping_.resting_at.reset();
}

void failover::hear(wire::operation_result&& told, const answering& from) {
    if (told.index == log_index{} && is_refusal(told.code)) {
        see(told.epoch, std::nullopt, find(from.link)->route);
        refused(declined(wire::error_reply{.code = told.code}), from);
        return;
    }
    rules(told.epoch, from);
    last_seen_ = std::max(last_seen_, told.index);
    answer how{told.code};
    how.index = told.index;
    how.epoch = told.epoch;
    how.durable_on = told.durable_on;
    how.voters = told.voters;
    how.body = std::move(told.body);
    finish(from.to.ticket, std::move(how));
}

void failover::hear(wire::read_result&& told, const answering& from) {
    if (told.index == log_index{} && is_refusal(told.code)) {
        see(told.epoch, std::nullopt, find(from.link)->route);
        refused(declined(wire::error_reply{.code = told.code}), from);
        return;
    }
    rules(told.epoch, from);
    last_seen_ = std::max(last_seen_, told.index);
    answer how{told.code};
    how.index = told.index;
    how.epoch = told.epoch;
    how.body = std::move(told.body);
    finish(from.to.ticket, std::move(how));
}

void failover::hear(wire::session_closed&& told, const answering& from) {
    rules(told.epoch, from);
    answer how;
    how.index = told.index;
    how.epoch = told.epoch;
    finish(from.to.ticket, std::move(how));
    if (session_ == told.session) {
        wants_session_ = false;
        serving_ = false; // It is this client that leaves.
        end_session(from.now);
    }
}

void failover::hear(wire::admin_result&& told, const answering& from) {
    answer how;
    how.why = std::move(told.text);
    finish(from.to.ticket, std::move(how));
}

void failover::refused(const failure& why, const answering& from) {
    const auto code = why.refusal.value_or(wire::result_code::retry_elsewhere);
    const duration pause = pause_after(why.retry_after);
    if (code == wire::result_code::session_expired && from.to.what != question::stand_by) {
        end_session(from.now);
        return;
    }
    if (from.to.what == question::errand) {
        refused_errand(why, from);
        return;
    }
    const line& who = *find(from.link);
    if (from.to.what == question::whois) {
        refute_hint(who.route);
        routes_.at(who.route).whois_at = from.now + pause;
        return;
    }
    if (is_standby(who) && !is_followed(who)) {
        give_up_standby(from.now);
        return;
    }
    if (!is_followed(who)) {
        return;
    }
    trouble_ = why;
    const bool is_final =
        code == wire::result_code::forbidden || code == wire::result_code::unauthenticated ||
        code == wire::result_code::invalid || code == wire::result_code::unsupported;
    const bool about_login =
        from.to.what == question::login || from.to.what == question::open_session;
    if (about_login && is_final) {
        login_refused_ = true;
        fail_all(code, why.why);
    }
    look_for_primary(from.now, pause);
}

void failover::refused_errand(const failure& why, const answering& from) {
    errand* const one = errands_.find(from.to.ticket);
    const bool is_followed_now = is_followed(*find(from.link));
    if (one == nullptr) {
        return;
    }
    const auto code = why.refusal.value_or(wire::result_code::retry_elsewhere);
    switch (code) {
    case wire::result_code::invalid:
    case wire::result_code::too_large:
    case wire::result_code::unsupported:
        finish(from.to.ticket, answer{code, why.why});
        break;
    case wire::result_code::busy:
        if (is_followed_now) {
            errands_.send_again(from.to.ticket, from.now + pause_after(why.retry_after));
            one->busy = true;
            one->refusal = why.why;
        }
        break;
    case wire::result_code::retry_elsewhere:
    case wire::result_code::uncertain:
    case wire::result_code::cancelled:
        if (is_followed_now) {
            // A server that knows no primary holds the WHOIS: it costs nothing to ask at once.
            trouble_ = why;
            look_for_primary(from.now,
                             is_one_redirect_too_many(from.now) ? a_pause() : duration{0});
        }
        break;
    default:
        // The primary has looked for earlier attempts before it refuses this one.
        if (is_followed_now) {
            finish(from.to.ticket, answer{code, why.why});
        }
        break;
    }
}

/// As long as the server asks for, within bounds; not all clients at the same moment.
duration failover::pause_after(std::chrono::milliseconds asked_for) {
    constexpr std::chrono::milliseconds longest{10'000};
    return a_pause() + std::clamp(asked_for, 0ms, longest);
}

} // namespace almenara::client
