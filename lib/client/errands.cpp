#include "client/errands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::client {

answer::answer(wire::result_code how, std::string reason) : code(how), why(std::move(reason)) {}

outcome<ticket> errands::add(errand what) {
    const std::size_t size = what.body.size();
    if (all_.size() >= most_held || bytes_ + size > most_held_bytes) {
        return failure{failure_kind::busy,
                       fmt::format("{} operations of {} bytes wait for an answer already",
                                   all_.size(), bytes_)};
    }
    last_ticket_ = last_ticket_.next();
    if (what.kind == errand_kind::write) {
        last_ = last_.next();
        what.seq = last_;
        writes_.put(last_, last_ticket_);
    }
    reads_ += what.kind == errand_kind::read ? 1U : 0U;
    bytes_ += size;
    no_deadline_before_ = std::min(no_deadline_before_, what.deadline);
    unsent_.push_back(last_ticket_);
    all_.emplace(last_ticket_, std::move(what));
    return last_ticket_;
}

errand* errands::find(ticket which) {
    const auto found = all_.find(which);
    return found == all_.end() ? nullptr : &found->second;
}

std::optional<errand> errands::take(ticket which) {
    const auto found = all_.find(which);
    if (found == all_.end()) {
        return std::nullopt;
    }
    send_again(which, instant{});
    unsent_.erase(std::lower_bound(unsent_.begin(), unsent_.end(), which));
    std::optional<errand> ended = std::move(found->second);
    all_.erase(found);
    bytes_ -= ended->body.size();
    resumed_ -= ended->resumed ? 1U : 0U;
    reads_ -= ended->kind == errand_kind::read ? 1U : 0U;
    if (ended->seq) {
        writes_.take(*ended->seq);
    }
    return ended;
}

bool errands::any(errand_kind kind) const {
    if (kind == errand_kind::write) {
        return !writes_.empty();
    }
    return std::any_of(all_.begin(), all_.end(),
                       [kind](const auto& one) { return one.second.kind == kind; });
}

ticket errands::of(sequence write) const {
    const auto* const found = writes_.find(write);
    return found == nullptr ? ticket{} : *found;
}

void errands::resume(sequence next, std::vector<kept_operation> left) {
    number_anew(next);
    for (kept_operation& each : left) {
        last_resumed_ = last_resumed_.next();
        writes_.put(each.seq, last_resumed_);
        bytes_ += each.body.size();
        ++resumed_;
        unsent_.insert(std::lower_bound(unsent_.begin(), unsent_.end(), last_resumed_),
                       last_resumed_);
        all_.emplace(last_resumed_, errand{.kind = errand_kind::write,
                                           .body = std::move(each.body),
                                           .deadline = instant::max(),
                                           .seq = each.seq,
                                           .in_doubt = true,
                                           .kept = kept_state::yes,
                                           .resumed = true});
    }
}

/// What is held was never sent under the number that it had.
void errands::number_anew(sequence first) {
    writes_ = {};
    last_ = sequence{first.value() - 1};
    for (auto& [number, one] : all_) {
        if (one.seq) {
            last_ = last_.next();
            one.seq = last_;
            one.kept = kept_state::no;
            writes_.put(last_, number);
        }
    }
}

sequence errands::first_unacked() const {
    return writes_.empty() ? last_.next() : writes_.front().first;
}

bool errands::may_send(const errand& what, std::uint32_t window, instant now) const {
    if (what.sent || now < what.send_at) {
        return false;
    }
    if (what.kind == errand_kind::read) {
        return reads_in_flight_ < most_reads_in_flight;
    }
    if (what.kind != errand_kind::write) {
        return true;
    }
    const bool has_a_place =
        window == 0 || what.seq->value() - first_unacked().value() < std::uint64_t{window};
    return has_a_place && in_flight_ < most_in_flight &&
           (in_flight_ == 0 || in_flight_bytes_ + what.body.size() <= most_in_flight_bytes);
}

bool errands::has_place() const {
    const std::size_t writes_here = writes_.size() - in_flight_;
    const std::size_t reads_here = reads_ - reads_in_flight_;
    return (writes_here > 0 && in_flight_ < most_in_flight) ||
           (reads_here > 0 && reads_in_flight_ < most_reads_in_flight) ||
           unsent_.size() > writes_here + reads_here;
}

void errands::sent(ticket which) {
    errand& what = all_.at(which);
    unsent_.erase(std::lower_bound(unsent_.begin(), unsent_.end(), which));
    what.sent = true;
    what.busy = false;
    if (what.kind == errand_kind::write) {
        ++in_flight_;
        in_flight_bytes_ += what.body.size();
    } else if (what.kind == errand_kind::read) {
        ++reads_in_flight_;
    }
}

void errands::send_again(ticket which, instant not_before) {
    errand& what = all_.at(which);
    what.send_at = not_before;
    no_pause_behind_ = std::max(no_pause_behind_, not_before);
    if (!std::exchange(what.sent, false)) {
        return;
    }
    unsent_.insert(std::lower_bound(unsent_.begin(), unsent_.end(), which), which);
    if (what.kind == errand_kind::write) {
        --in_flight_;
        in_flight_bytes_ -= what.body.size();
    } else if (what.kind == errand_kind::read) {
        --reads_in_flight_;
    }
}

std::optional<ticket> errands::unsent_behind(ticket which) const {
    const auto place = std::upper_bound(unsent_.begin(), unsent_.end(), which);
    return place == unsent_.end() ? std::nullopt : std::optional{*place};
}

std::vector<ticket> errands::overdue(instant now) {
    std::vector<ticket> late;
    if (now < no_deadline_before_) {
        return late;
    }
    no_deadline_before_ = instant::max();
    for (const auto& [number, one] : all_) {
        if (now >= one.deadline) {
            late.push_back(number);
        } else {
            no_deadline_before_ = std::min(no_deadline_before_, one.deadline);
        }
    }
    return late;
}

std::vector<ticket> errands::tickets() const {
    std::vector<ticket> every;
    for (const auto& [number, one] : all_) {
        every.push_back(number);
    }
    return every;
}

void errands::forget_sequences() {
    number_anew(sequence{1});
}

instant errands::wake(instant now) const {
    instant next = no_deadline_before_;
    if (now >= no_pause_behind_) {
        return next;
    }
    for (const ticket which : unsent_) {
        if (const errand& one = all_.at(which); one.send_at > now) {
            next = std::min(next, one.send_at);
        }
    }
    return next;
}

} // namespace almenara::client
