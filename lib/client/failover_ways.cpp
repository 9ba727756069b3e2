#include "client/failover.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

/// The part of the client that knows by which of its ways it may find a new primary (C.3): what
/// counts of what is said, who is tried, and where a place is kept for the day of need.
namespace almenara::client {

namespace {

using namespace std::chrono_literals;

/// A place that is only kept needs no quick answer, and its server no work.
constexpr duration standby_ask_after = 10s;
constexpr duration standby_dead_after = 13s;

/// Unless others say that it rules.
constexpr duration misled_pause = 2s;

} // namespace

// -- What counts ----------------------------------------------------------------------------------

/// The first primary is found by all that servers say; which ways there are is about the others.
bool failover::may_use(source way) const {
    return !served_last_ || options_.follow.has(way);
}

/// Who may be asked while nobody is followed: the last one is no new primary, and may be back.
bool failover::may_be_found(route_number way) const {
    const bool is_a_name = routes_.at(way).named && may_use(source::directory);
    return asks_all() || is_a_name || served_last_ == way;
}

/// By which way it came to this client that `named` rules, as a server said over this connection.
/// Nothing: by none that it may use.
std::optional<source> failover::told_over(const line& from, server_id named, epoch at) const {
    const bool is_about_itself = named == from.server;
    const bool confirms = hint_ && is_about_itself && hint_->server == named && at >= hint_->epoch;
    if (confirms) {
        return source::beacon;
    }
    if (is_standby(from) && may_use(source::standby)) {
        return source::standby;
    }
    const bool is_a_name = routes_.at(from.route).named && may_use(source::directory);
    if (is_a_name && is_about_itself && (from.moved || !asks_all())) {
        return source::directory;
    }
    if (asks_all()) {
        return source::members;
    }
    const bool is_back = is_about_itself && served_last_ == from.route;
    return is_back ? std::optional{told_by_} : std::nullopt;
}

/// Who follows somebody leaves only for a newer one.
bool failover::is_news(epoch at) const {
    return chosen_ && !guessing_ ? at > epoch_seen_ : at >= epoch_seen_;
}

/// A server said so over this connection. Whether it is followed now.
bool failover::hear_of(const wire::member_address& primary,
                       epoch at,
                       const line& from,
                       instant now) {
    // Whoever does not say that it belongs to this cluster knows nothing of its epochs.
    const bool is_stranger = cluster_ && !from.in_cluster;
    const bool is_about_itself = primary.id == from.server;
    if (!is_stranger && is_about_itself && at == epoch_seen_) {
        advance_claim(claim::step::confirmed, now);
    }
    const auto told_by = told_over(from, primary.id, at);
    if (is_stranger || !told_by || !is_news(at)) {
        return false;
    }
    hint_counts_.confirmed += told_by == source::beacon ? 1U : 0U;
    if (chosen_) {
        leave_for(primary, at, *told_by, from, now);
    } else {
        see(at, primary.id, from.route);
        follow(primary, *told_by);
    }
    if (is_about_itself) {
        advance_claim(claim::step::confirmed, now);
    }
    return chosen_.has_value();
}

/// C.2: only what a server says over its connection raises the newest epoch seen. Not everybody who
/// knows an epoch says who rules in it.
void failover::see(epoch at, std::optional<server_id> primary, std::optional<route_number> by) {
    if (at > epoch_seen_) {
        epoch_seen_ = at;
        ruler_.reset();
        claim_ = by ? std::optional{claim{*by}} : std::nullopt;
    }
    if (at == epoch_seen_ && primary) {
        ruler_ = primary;
    }
    const bool is_over =
        hint_ && (hint_->epoch < epoch_seen_ || (hint_->epoch == epoch_seen_ && ruler_));
    if (is_over) {
        hint_.reset();
    }
}

/// C.3: whoever is said to rule must serve those who wait. Else what was said is a lie, or of a
/// server that died before it began, and nobody else would ever be believed.
void failover::doubt_claim(instant now) {
    if (!claim_) {
        return;
    }
    if (!errands_.any_asked()) {
        claim_->waited_since.reset();
        return;
    }
    claim_->waited_since = claim_->waited_since.value_or(now);
    if (now >= *claim_->waited_since + longest_silence) {
        turn_from_claim(now);
    }
}

void failover::advance_claim(claim::step to, instant now) {
    if (claim_ && to > claim_->reached) {
        claim_->reached = to;
        claim_->waited_since = now;
    }
}

void failover::forget_claim(instant now) {
    claim_.reset();
    epoch_seen_ = last_served_.at;
    ruler_.reset();
    believe_served(now);
}

void failover::believe_served(instant now) {
    const auto members = last_served_.members;
    forget_routes(routes_.believe(last_served_.config, members), now);
    ear_.servers_changed(now);
}

/// Others are heard before the one that said so.
void failover::turn_from_claim(instant now) {
    const route_number by = claim_->by;
    forget_claim(now);
    misled_.insert(by);
    look_for_primary(now);
    const auto way = routes_.all().find(by);
    if (way == routes_.all().end()) {
        return;
    }
    if (way->second.link) {
        give_up_on(*way->second.link, now);
    }
    way->second.wished_at = now + misled_pause;
}

bool failover::others_may_know_better() const {
    const auto& all = routes_.all();
    return claim_ && std::any_of(all.begin(), all.end(), [this](const auto& each) {
               return each.first != claim_->by && !each.second.trouble &&
                      !misled_.contains(each.first);
           });
}

// -- Redirect, directory --------------------------------------------------------------------------

bool failover::tries_others() const {
    return !asks_all() && may_use(source::redirect);
}

bool failover::looks_up_names() const {
    return !asks_all() && may_use(source::directory) && (!chosen_ || guessing_);
}

/// Servers are told one after the other what there is to say, and send on who is wrong there.
void failover::try_next(instant now) {
    if (chosen_ || !tries_others()) {
        return;
    }
    const auto& all = routes_.all();
    auto place = tried_last_ ? all.upper_bound(*tried_last_) : all.begin();
    for (std::size_t left = all.size(); left > 0; --left, ++place) {
        place = place == all.end() ? all.begin() : place;
        if (is_ready(place->second, now)) {
            follow(place->first, source::redirect);
            tried_last_ = chosen_;
            guessing_ = true;
            return;
        }
    }
}

/// It can be spoken to, or dialled now.
bool failover::is_ready(const route& way, instant now) const {
    if (way.link) {
        const line& to = lines_.at(*way.link);
        return to.talk && to.talk->is_open() && now >= way.whois_at;
    }
    return !way.is_barred() && now >= std::max(way.dial_at, way.wished_at);
}

/// D.4: who asks nobody about a server that does not answer must leave it to try another one.
void failover::leave_doubted(instant now) {
    if (!asks_all() && (tries_others() || may_use(source::directory)) && is_doubted(now)) {
        give_up_on(*routes_.at(*chosen_).link, now);
    }
}

/// Another server may have the name by now.
void failover::look_up_anew(link_id link, instant now) {
    const line& to = lines_.at(link);
    route& way = routes_.at(to.route);
    if (looks_up_names() && way.named && !is_followed(to) && !is_standby(to) &&
        !is_hinted(to.route)) {
        drop(link);
        way.dial_at = now + a_pause();
    }
}

// -- Standby --------------------------------------------------------------------------------------

/// C.3: one place at one backup, as long as there is one.
void failover::keep_standby(instant now) {
    if (!served_last_ || !options_.follow.has(source::standby)) {
        return;
    }
    const bool is_over =
        standby_ && (!routes_.all().contains(*standby_) || (chosen_ == standby_ && !guessing_));
    if (is_over) {
        standby_.reset();
        standby_at_ = now;
    }
    if (standby_ || now < standby_at_) {
        return;
    }
    standby_ = a_standby(now);
    if (standby_) {
        dial(*standby_, routes_.at(*standby_), now);
        speak(lines_.at(*routes_.at(*standby_).link), now, is_doubted(now));
    }
}

/// Any backup, so that clients are everywhere; one that is connected already has the preference.
std::optional<route_number> failover::a_standby(instant now) {
    const auto ruler = chosen_ ? chosen_ : served_last_;
    std::vector<route_number> open;
    std::vector<route_number> others;
    standby_at_ = now + 500ms;
    for (const auto& [number, way] : routes_.all()) {
        if (number == ruler || !way.server) {
            continue;
        }
        if (is_ready(way, now) && !(way.link && owes_answer(lines_.at(*way.link)))) {
            (way.link ? open : others).push_back(number);
        } else if (!way.link && !way.is_barred()) {
            standby_at_ = std::min(standby_at_, std::max(way.dial_at, way.wished_at));
        }
    }
    const auto& from = open.empty() ? others : open;
    return from.empty() ? std::nullopt : std::optional{from[random_.below(from.size())]};
}

/// A WHOIS may be held; nothing else is. Who has been left may be paused.
bool failover::owes_answer(const line& to) {
    return std::any_of(to.questions.begin(), to.questions.end(),
                       [](const auto& one) { return one.second.what != question::whois; });
}

/// Says who it is, takes its place and is silent.
void failover::stand_by(line& to, instant now) {
    if (to.stands_by) {
        return;
    }
    if (!to.logged_in) {
        if (!is_asked(to, question::login)) {
            ask_to_log_in(to, now, question::login);
        }
    } else if (!is_asked(to, question::stand_by)) {
        ask_to_attach(to, now, question::stand_by);
    }
}

void failover::stands_by(line& to) {
    to.stands_by = true;
    if (!is_followed(to)) {
        to.talk->set_patience(standby_ask_after, standby_dead_after);
    }
}

/// Its server died, or wants nobody there.
void failover::lose_standby(instant now) {
    standby_.reset();
    standby_at_ = now + (serving_ ? random_.between(1s, 3s) : a_pause());
}

void failover::give_up_standby(instant now) {
    drop(*routes_.at(*standby_).link);
    routes_.at(*standby_).wished_at = now + a_pause();
    lose_standby(now);
}

} // namespace almenara::client
