#include "client/failover.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

/// The part of the client that looks for the primary, and dials and leaves servers.
namespace almenara::client {

namespace {

using namespace std::chrono_literals;

// C.3 and B.13.
constexpr duration whois_stagger = 10ms;
constexpr duration longest_dial = 3s;

} // namespace

// -- Who is primary -------------------------------------------------------------------------------

void failover::look_for_primary(instant now, duration pause) {
    if (std::exchange(serving_, false)) {
        lost_at_ = now;
        out_.news.emplace_back(primary_lost{.held = errands_.all().size()});
    }
    chosen_.reset();
    guessing_ = false;
    const instant first = now + pause;
    for (auto& [number, way] : routes_.all()) {
        way.whois_at = std::max(way.whois_at, now + pause);
        if (way.dial_at <= now + pause) {
            way.dial_at = std::max(way.dial_at, first);
            // Who is said to rule does not wait for its turn.
            way.wished_at = std::max(way.wished_at, now + pause);
            // Who was just lost takes nobody's turn, and who tries one by one has no crowd.
            pause += asks_all() ? whois_stagger : 0ms;
        }
    }
    for (auto& [link, each] : lines_) {
        each.attached = false;
    }
    for (const ticket which : errands_.tickets()) {
        errand& one = *errands_.find(which);
        one.in_doubt = one.in_doubt || one.sent;
        errands_.send_again(which, one.send_at);
        if (one.in_doubt && one.kind == errand_kind::administer) {
            // Once at most: nobody remembers what became of it.
            finish(which, answer{wire::result_code::uncertain,
                                 "the connection was lost before the answer came"});
        }
    }
}

void failover::follow(route_number way, source told_by) {
    chosen_ = way;
    told_by_ = told_by;
    guessing_ = false;
    const auto link = routes_.at(way).link;
    if (line* const to = link ? find(*link) : nullptr; to != nullptr && to->stands_by) {
        to->stands_by = false;
        to->talk->set_patience(conversation_options{}.ask_after, conversation_options{}.dead_after);
    }
}

void failover::follow(const wire::member_address& server, source told_by) {
    if (const auto way = routes_.way_to(server)) {
        follow(*way, told_by);
    }
}

/// Somebody else rules by now, or the same one anew, and taking office voids what was attached
/// before (C.1).
void failover::leave_for(
    const wire::member_address& primary, epoch at, source told_by, const line& from, instant now) {
    see(at, primary.id, from.route);
    const auto way = routes_.way_to(primary);
    if (way && (chosen_ != way || serving_)) {
        look_for_primary(now);
        follow(*way, told_by);
    }
}

/// When a followed server that owes an answer is not believed any more to be primary.
std::optional<instant> failover::doubted_at() const {
    const auto link = chosen_ ? routes_.at(*chosen_).link : std::nullopt;
    if (!link) {
        return std::nullopt;
    }
    const line& to = lines_.at(*link);
    const bool owes_nothing = to.talk && to.talk->is_open() && to.questions.empty();
    return owes_nothing ? std::nullopt : std::optional{to.waiting_since + silence_to_doubt};
}

/// D.4: a paused primary looks alive to TCP. Others are asked, while it is still listened to.
bool failover::is_doubted(instant now) const {
    const auto from = doubted_at();
    return from && now >= *from;
}

bool failover::is_wanted(route_number way, bool doubted) const {
    const bool is_kept = chosen_ == way || standby_ == way || is_hinted(way);
    const bool looks_around = !chosen_ || guessing_ || doubted;
    return is_kept || (looks_around && may_be_found(way));
}

void failover::learn(log_index config,
                     const std::vector<wire::member_address>& members,
                     instant now) {
    const std::vector<route> gone = routes_.learn(config, members);
    ear_.servers_changed(now);
    standby_at_ = std::min(standby_at_, now);
    forget_routes(gone, now);
}

// -- Connections ----------------------------------------------------------------------------------

failover::line* failover::find(link_id link) {
    const auto found = lines_.find(link);
    return found == lines_.end() ? nullptr : &found->second;
}

instant failover::earliest_dial(route_number way, const route& to) const {
    const bool is_said_to_rule = chosen_ == way || is_hinted(way);
    return is_said_to_rule ? to.dial_at : std::max(to.dial_at, to.wished_at);
}

void failover::dial(route_number way, route& to, instant now) {
    if (to.link || now < earliest_dial(way, to)) {
        return;
    }
    last_link_ = last_link_.next();
    to.link = last_link_;
    lines_.emplace(last_link_, line{.route = way, .waiting_since = now});
    dial_order order{.link = last_link_, .addresses = to.addresses, .by = now + longest_dial};
    if (to.named && !asks_all() && may_use(source::directory)) {
        order.addresses.resize(1); // Who has the name now, and nobody else.
    }
    out_.dial.push_back(std::move(order));
}

void failover::connected(instant now, link_id link) {
    if (line* const to = find(link)) {
        conversation_options options{.client_name = options_.client_name,
                                     .epoch_seen = epoch_seen_,
                                     .config_seen = routes_.config()};
        to->talk.emplace(std::move(options), now + longest_silence);
    }
}

void failover::dial_failed(instant now, link_id link, failure why) {
    lose(link, now, std::move(why));
}

void failover::lose(link_id link, instant now, failure why) {
    const auto place = lines_.find(link);
    if (place == lines_.end()) {
        return;
    }
    const route_number number = place->second.route;
    // A port listens before its server has read its log, and a paused one listens on.
    found_somebody_ = found_somebody_ || (place->second.talk && waiting_may_help(why));
    lines_.erase(place);
    refute_hint(number);
    if (standby_ == number) {
        lose_standby(now);
    }
    route& way = routes_.at(number);
    way.link.reset();
    way.dial_at = now + a_pause();
    way.wished_at = now + pause_after(why.retry_after);
    way.trouble = std::move(why);
    if (way.is_barred()) {
        // Of a server that nobody named it says nothing, unless that one is the primary.
        way.dial_at = instant::max();
        trouble_ = way.named ? way.trouble : trouble_;
        return;
    }
    trouble_ = way.trouble;
    if (chosen_ == number) {
        look_for_primary(now);
    }
}

/// Says goodbye and forgets the link.
void failover::drop(link_id link) {
    const auto place = lines_.find(link);
    if (place->second.talk) {
        exchange_output last_words;
        place->second.talk->leave();
        place->second.talk->take_output(last_words);
        for (to_server& message : last_words.say) {
            out_.send.push_back({.link = link, .message = std::move(message)});
        }
    }
    out_.close.push_back(link);
    routes_.at(place->second.route).link.reset();
    lines_.erase(place);
}

void failover::close_others() {
    for (auto place = lines_.begin(); place != lines_.end();) {
        const link_id link = place->first;
        const bool stays = is_followed(place->second) || is_standby(place->second) ||
                           is_hinted(place->second.route);
        ++place;
        if (!stays) {
            drop(link);
        }
    }
}

/// C.3: who is asked and says nothing for so long is as good as dead, pings or not. A name may
/// belong to somebody else before that.
instant failover::silent_from(const line& which) const {
    const bool is_open = which.talk && which.talk->is_open();
    if (!is_open && looks_up_names() && routes_.at(which.route).named) {
        return which.waiting_since + silence_to_doubt;
    }
    return which.questions.empty() ? instant::max() : which.waiting_since + longest_silence;
}

void failover::close_silent(instant now) {
    std::vector<link_id> silent;
    for (const auto& [link, each] : lines_) {
        if (now >= silent_from(each) || each.worn_out) {
            silent.push_back(link);
        }
    }
    for (const link_id link : silent) {
        give_up_on(link, now);
    }
}

void failover::give_up_on(link_id link, instant now) {
    const route_number way = lines_.at(link).route;
    drop(link);
    refute_hint(way);
    if (standby_ == way) {
        lose_standby(now);
    }
    routes_.at(way).dial_at = now + a_pause();
    trouble_ = failure{failure_kind::timed_out, "the server does not answer what it is asked"};
    if (chosen_ == way) {
        look_for_primary(now);
    }
}

void failover::sign_of_life(instant now, link_id link) {
    if (line* const from = find(link); from != nullptr && from->talk) {
        from->talk->sign_of_life(now);
    }
}

void failover::heard(instant now, link_id link, from_server&& message) {
    if (line* const from = find(link); from != nullptr && from->talk) {
        from->talk->heard(std::move(message), now);
        drain(link, now);
    }
}

void failover::broken(instant now, link_id link, std::string why) {
    if (line* const from = find(link); from != nullptr && from->talk) {
        from->talk->break_off(std::move(why));
        drain(link, now);
    }
}

void failover::link_ended(instant now, link_id link, std::error_code why) {
    if (line* const from = find(link); from != nullptr && from->talk) {
        from->talk->stream_ended(why);
        drain(link, now);
    }
}

/// Brings out what one connection has to say and tells what it has heard.
void failover::drain(link_id link, instant now) {
    line* const from = find(link);
    if (from == nullptr || !from->talk || !from->talk->has_output()) {
        return;
    }
    exchange_output output;
    output.swap(drained_);
    from->talk->take_output(output);
    for (to_server& message : output.say) {
        out_.send.push_back({.link = link, .message = std::move(message)});
    }
    if (output.finish) {
        out_.close.push_back(link);
    }
    for (event& happened : output.events) {
        std::visit([&](auto& what) { on_event(std::move(what), link, now); }, happened);
    }
    output.clear();
    drained_.swap(output);
}

void failover::drain_all(instant now) {
    // What is heard may end lines, this one or others: the next is looked up anew.
    for (auto place = lines_.begin(); place != lines_.end();) {
        const link_id link = place->first;
        drain(link, now);
        place = lines_.upper_bound(link);
    }
}

} // namespace almenara::client
