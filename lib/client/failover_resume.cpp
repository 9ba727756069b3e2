#include "base/bytes.hpp"
#include "base/text.hpp"
#include "client/failover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

/// The part of the client that keeps what the next run needs, and goes on with what an earlier one
/// has left (C.1, C.3).
namespace almenara::client {

namespace {

using namespace std::chrono_literals;

/// A server of another cluster may become one of this one, but not soon.
constexpr duration stranger_pause = 10s;
/// C.1: without a journal so many numbers are used at once.
constexpr std::uint64_t numbers_at_once = 256;

/// "3f2a7c01…", which is enough to tell two apart.
std::string short_name(cluster_id cluster) {
    constexpr std::size_t digits = 8;
    return fmt::format("{}", cluster).substr(0, digits) + "…";
}

} // namespace

// -- Which cluster it is --------------------------------------------------------------------------

/// The first server that was named says which cluster is meant, or else one of those that are known
/// of it. Nobody of another one is listened to.
bool failover::admits(const wire::welcome& welcome, link_id link, instant now) {
    if (!welcome.cluster) {
        return true;
    }
    {
        line& from = *find(link);
        from.in_cluster = true;
        const route& way = routes_.at(from.route);
        const bool may_say_so = way.named || !hint_used_ || options_.hint->id == *welcome.cluster;
        if (!cluster_ && may_say_so) {
            enter(*welcome.cluster, way.addresses.front(), now);
        }
    }
    if (cluster_ != welcome.cluster) {
        turn_away(link, welcome, now);
        return false;
    }
    if (const line* const from = find(link)) { // Else nobody knew it as a member, and it is gone.
        note_name(routes_.at(from->route));
    }
    return true;
}

/// By it the cluster is found again.
void failover::note_name(const route& way) {
    const std::string& name = way.addresses.front();
    if (way.named && std::find(names_.begin(), names_.end(), name) == names_.end() &&
        names_.size() < known_cluster::most_names) {
        names_.push_back(name);
    }
}

void failover::enter(cluster_id cluster, std::string by, instant now) {
    cluster_ = cluster;
    entered_by_ = std::move(by);
    if (options_.hint && options_.hint->id == cluster) {
        last_served_.config = options_.hint->config;
        last_served_.members = options_.hint->members;
        learn(options_.hint->config, options_.hint->members, now);
    } else if (hint_used_) {
        forget_routes(routes_.unlearn(), now); // It was about a cluster that was there before.
    }
    if (options_.keeps_state) {
        out_.news.emplace_back(entered_cluster{cluster});
    }
}

void failover::turn_away(link_id link, const wire::welcome& welcome, instant now) {
    const route_number number = find(link)->route;
    const std::string address = base::escaped(routes_.at(number).addresses.front());
    const std::string other = cluster_
                                  ? fmt::format("{}, which {} belongs to", short_name(*cluster_),
                                                base::escaped(entered_by_))
                                  : fmt::format("{}, as it did", short_name(options_.hint->id));
    failure why{failure_kind::other_cluster,
                fmt::format("{} belongs to cluster {}, not to {}", address,
                            short_name(*welcome.cluster), other)};
    drop(link);
    route& way = routes_.at(number);
    way.dial_at = now + stranger_pause;
    way.trouble = why;
    if (way.named) {
        trouble_ = why;
        out_.news.emplace_back(stranger{std::move(why)});
    }
    if (chosen_ == number) {
        look_for_primary(now, a_pause());
    }
}

/// C.3: none of those who were named is there, so others of the same cluster are asked.
void failover::use_hint(instant now) {
    if (!options_.hint || cluster_ || hint_used_) {
        return;
    }
    const auto& all = routes_.all();
    const bool nobody_is_there = std::all_of(
        all.begin(), all.end(), [](const auto& each) { return each.second.trouble.has_value(); });
    if (nobody_is_there || now >= hint_at_) {
        hint_used_ = true;
        learn(options_.hint->config, options_.hint->members, now);
        if (!chosen_) {
            look_for_primary(now); // They have their turns.
        }
    }
}

/// Who belonged to no cluster when it was greeted must say to which it does by now, before it is
/// told who asks.
void failover::greet_anew(instant now) {
    const auto link = chosen_ ? routes_.at(*chosen_).link : std::nullopt;
    if (!link || !(waits_for_memory() || cluster_)) {
        return;
    }
    const line& to = lines_.at(*link);
    if (to.talk && to.talk->is_open() && !to.in_cluster) {
        drop(*link);
        routes_.at(*chosen_).dial_at = now + a_pause();
        trouble_ = failure{failure_kind::no_primary,
                           "the server does not say to which cluster it belongs"};
    }
}

void failover::forget_routes(const std::vector<route>& gone, instant now) {
    if (hint_ && !routes_.all().contains(hint_->route)) {
        hint_.reset(); // It may become a member again, and be announced again.
    }
    for (const route& way : gone) {
        if (way.link) {
            lines_.erase(*way.link);
            out_.close.push_back(*way.link);
        }
    }
    if (chosen_ && !routes_.all().contains(*chosen_)) {
        look_for_primary(now);
    }
}

/// Nothing waits for it, so it is told whenever something is new.
void failover::note_cluster() {
    if (!remembered_ || !cluster_ || unkept_) {
        return;
    }
    // What was only said is not kept: a lie would be believed for ever.
    const noted now{.seen = last_served_.at, .config = last_served_.config, .names = names_.size()};
    if (now.seen == noted_.seen && now.config == noted_.config && now.names == noted_.names) {
        return;
    }
    noted_ = now;
    keep_cluster order;
    order.what.id = *cluster_;
    order.what.seen = now.seen;
    order.what.config = now.config;
    order.what.members = last_served_.members;
    order.what.names = names_;
    out_.keep.emplace_back(std::move(order));
}

// -- What an earlier run has left -----------------------------------------------------------------

void failover::remember(recollection what) {
    if (!waits_for_memory()) {
        return;
    }
    remembered_ = true;
    unkept_ = std::move(what.trouble);
    if (what.device != device_nonce{}) {
        device_ = what.device;
    }
    last_served_.at = std::max(last_served_.at, what.seen);
    see(what.seen);
    for (kept_operation& each : what.lost) {
        answer how{wire::result_code::uncertain, "what was kept of its session cannot be read"};
        how.seq = each.seq;
        out_.news.emplace_back(
            resumed{.seq = each.seq, .body = std::move(each.body), .answer = std::move(how)});
    }
    if (what.session) {
        resume(std::move(*what.session));
    }
}

void failover::resume(kept_session what) {
    if (session_ || left_) {
        return;
    }
    session_ = what.session;
    window_ = what.window;
    keeping_ = {.session = kept_state::yes,
                .numbers_upto = what.next,
                .resting_at = what.next,
                .unused_from = what.next};
    errands_.resume(what.next, std::move(what.open));
}

/// A session that was kept is attached when it is needed, not because it is there.
bool failover::must_attach() const {
    return session_ &&
           (!keeping_.resting_at || needs_session() || errands_.any(errand_kind::close_session));
}

/// C.3: what an earlier run has sent comes before anything new.
bool failover::waits_for_resumed(const line& to) const {
    return errands_.resumed() > 0 && !to.attached;
}

/// C.1: the servers know of operations that nobody here has sent: the file is a copy that somebody
/// else uses, or what was written last was lost with the power. Numbers would be used twice.
bool failover::is_older_than(const wire::attached& told) const {
    return options_.keeps_state && told.last_known >= keeping_.unused_from;
}

/// They are for the next run.
void failover::leave_resumed() {
    for (const ticket which : errands_.tickets()) {
        if (!errands_.find(which)->resumed) {
            return;
        }
        auto one = errands_.take(which);
        answer how{wire::result_code::uncertain, "no answer came yet; the next run asks again"};
        how.session = session_;
        how.seq = *one->seq;
        out_.news.emplace_back(
            resumed{.seq = how.seq, .body = std::move(one->body), .answer = std::move(how)});
    }
}

// -- What is kept for the next one ----------------------------------------------------------------

void failover::keep_new_session() {
    if (!options_.keeps_state || unkept_) {
        return;
    }
    const std::uint64_t used = options_.journal ? 0 : numbers_at_once;
    keeping_ = {.session = kept_state::asked, .numbers_upto = sequence{1 + used}};
    out_.keep.emplace_back(
        keep_session{.session = *session_, .window = window_, .next = keeping_.numbers_upto});
}

void failover::session_kept(std::optional<failure> trouble) {
    keeping_.session = trouble ? kept_state::no : kept_state::yes;
    if (!trouble) {
        return;
    }
    // What waits for it is refused. What is asked later tries again.
    refuse_writes_from(sequence{}, *trouble);
}

/// While it is certain that they did not happen.
void failover::refuse_writes_from(sequence first, const failure& why) {
    for (const ticket which : errands_.tickets()) {
        const errand& one = *errands_.find(which);
        if (one.seq && *one.seq >= first && !one.sent && !one.in_doubt) {
            refuse(which, why);
        }
    }
}

void failover::refuse(ticket which, const failure& why) {
    answer how{wire::result_code::cancelled, why.why};
    how.trouble = why;
    finish(which, std::move(how));
}

/// C.3: before it is sent. Asked once; the answer comes before the next turn.
bool failover::is_kept(errand& one) {
    if (!options_.keeps_state) {
        return true;
    }
    if (keeping_.session == kept_state::no) {
        keep_new_session();
    }
    if (keeping_.session != kept_state::yes) {
        return false;
    }
    if (!options_.journal && one.kept == kept_state::no) {
        return has_numbers(*one.seq);
    }
    if (one.kept == kept_state::no) {
        one.kept = kept_state::asked;
        out_.keep.emplace_back(keep_operation{{.seq = *one.seq, .body = one.body}});
    }
    return one.kept == kept_state::yes;
}

bool failover::has_numbers(sequence wanted) {
    if (wanted < keeping_.numbers_upto) {
        return true;
    }
    if (!std::exchange(keeping_.numbers_asked, true)) {
        out_.keep.emplace_back(keep_numbers{sequence{wanted.value() + numbers_at_once}});
    }
    return false;
}

void failover::operation_kept(sequence which, std::optional<failure> trouble) {
    const ticket number = errands_.of(which);
    errand* const one = errands_.find(number);
    if (one == nullptr || one->kept != kept_state::asked) {
        return;
    }
    one->kept = trouble ? kept_state::no : kept_state::yes;
    if (trouble) {
        refuse(number, *trouble);
    }
}

void failover::numbers_kept(sequence upto, std::optional<failure> trouble) {
    keeping_.numbers_asked = false;
    if (trouble) {
        refuse_writes_from(keeping_.numbers_upto, *trouble);
    } else {
        keeping_.numbers_upto = std::max(keeping_.numbers_upto, upto);
    }
}

/// Nobody sends it again.
void failover::note_end(const errand& what) {
    if (keeping_.session != kept_state::no && what.kept != kept_state::no) {
        out_.keep.emplace_back(forget_operation{*what.seq});
    }
}

} // namespace almenara::client
