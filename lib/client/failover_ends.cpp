#include "base/check.hpp"
#include "client/failover.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

/// The part of the client that says how what was asked has ended, and why.
namespace almenara::client {

using namespace std::chrono_literals;

void failover::finish(ticket which, answer how) {
    auto ended = errands_.take(which);
    if (!ended) {
        return; // it was given up before
    }
    if (ended->seq) {
        how.session = session_;
        how.seq = *ended->seq;
        note_end(*ended);
    }
    if (ended->resumed) {
        out_.news.emplace_back(
            resumed{.seq = how.seq, .body = std::move(ended->body), .answer = std::move(how)});
        return;
    }
    out_.news.emplace_back(ended_errand{.ticket = which, .answer = std::move(how)});
}

/// C.3: what was never sent did not happen, and neither did what a primary refused to begin.
answer failover::without_answer(const errand& what) const {
    const bool changes = what.kind != errand_kind::read && what.kind != errand_kind::log_in;
    if (changes && (what.sent || what.in_doubt)) {
        return answer{wire::result_code::uncertain, "no answer came within the time"};
    }
    if (what.busy) {
        return answer{wire::result_code::busy, what.refusal};
    }
    answer how{wire::result_code::cancelled, "no server took it within the time"};
    how.trouble = what_is_wrong();
    return how;
}

/// "server 1 answers", "servers 1 and 3 answer": those that let this client in.
std::string failover::who_answers() const {
    std::vector<std::string> names;
    for (const auto& [link, each] : lines_) {
        if (each.talk && each.talk->is_open() && !is_followed(each)) {
            names.push_back(fmt::format("{}", each.server));
        }
    }
    if (names.empty()) {
        return {};
    }
    return fmt::format("server{} {} answer{}", names.size() == 1 ? "" : "s", fmt::join(names, ", "),
                       names.size() == 1 ? "s" : "");
}

/// Why nobody serves: who is there counts more than who was not when last looked for.
failure failover::what_is_wrong() const {
    const failure usual =
        trouble_.value_or(failure{failure_kind::timed_out, "no server took it within the time"});
    const std::string there = who_answers();
    if (there.empty()) {
        return usual;
    }
    if (!chosen_) {
        return failure{
            failure_kind::no_primary,
            fmt::format("{}, and no server is primary now: a majority may be missing", there)};
    }
    const route& way = routes_.at(*chosen_);
    if (!way.server || way.link) {
        return usual;
    }
    return failure{failure_kind::no_primary,
                   fmt::format("{}, and the primary, server {}, cannot be reached: {}", there,
                               *way.server, usual.why)};
}

void failover::end_overdue(instant now) {
    for (const ticket which : errands_.overdue(now)) {
        finish(which, without_answer(*errands_.find(which)));
    }
}

/// Somebody is there who does not answer yet, or who said when to come back.
bool failover::waiting_may_help(const failure& why) {
    switch (why.kind) {
    case failure_kind::not_allowed:
    case failure_kind::not_resolved:
    case failure_kind::refused:
    case failure_kind::unreachable:
    case failure_kind::mismatch:
    case failure_kind::broken_rules:
    case failure_kind::other_cluster:
        return false;
    case failure_kind::rejected:
        return why.retry_after > 0ms; // Zero: trying again will not help.
    default:
        return true;
    }
}

/// Nobody was ever there: waiting will hardly help.
void failover::end_hopeless() {
    const auto is_hopeless = [](const auto& each) {
        return each.second.trouble && !waiting_may_help(*each.second.trouble);
    };
    const auto& all = routes_.all();
    if (!options_.must_find_somebody || found_somebody_ ||
        !std::all_of(all.begin(), all.end(), is_hopeless)) {
        return;
    }
    trouble_ = all.begin()->second.trouble;
    end_all(*trouble_);
}

/// The primary is known, and this client may not dial it: waiting cannot help.
void failover::end_barred(instant now) {
    if (!chosen_ || !errands_.any_asked() || !routes_.at(*chosen_).is_barred()) {
        return;
    }
    if (others_may_know_better()) {
        turn_from_claim(now);
        return;
    }
    const route& way = routes_.at(*chosen_);
    failure why = *way.trouble;
    if (!way.named && way.server) {
        why = failure{failure_kind::elsewhere,
                      fmt::format("server {} is primary: {}", *way.server, why.why)};
    }
    end_all(why);
    if (claim_) {
        forget_claim(now);
    }
    misled_.clear();
    look_for_primary(now, a_pause()); // It may be another one when something is asked again.
}

void failover::end_all(const failure& why) {
    for (const ticket which : errands_.tickets()) {
        if (errands_.find(which)->resumed) {
            continue; // Nobody waits for it here, and it is asked until somebody answers.
        }
        answer how = without_answer(*errands_.find(which));
        if (how.code == wire::result_code::cancelled) {
            how.why = why.why;
            how.trouble = why;
        }
        finish(which, std::move(how));
    }
}

void failover::fail_all(wire::result_code code, const std::string& why) {
    for (const ticket which : errands_.tickets()) {
        const errand& one = *errands_.find(which);
        if (one.resumed) {
            continue;
        }
        const bool unknown = one.seq && (one.sent || one.in_doubt);
        finish(which, answer{unknown ? wire::result_code::uncertain : code, why});
    }
}

void failover::give_up(ticket which) {
    answer how = without_answer(*errands_.find(which));
    if (how.code == wire::result_code::busy) {
        how.code = wire::result_code::cancelled; // Nobody had begun it.
    }
    how.why = "this client gave up waiting";
    finish(which, std::move(how));
}

void failover::cancel(ticket which) {
    if (errands_.find(which) != nullptr) {
        give_up(which);
    }
}

void failover::leave(instant now) {
    left_ = true;
    note_cluster();
    leave_resumed();
    for (const ticket which : errands_.tickets()) {
        give_up(which);
    }
    drain_all(now);
    while (!lines_.empty()) {
        drop(lines_.begin()->first);
    }
}

} // namespace almenara::client
