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
        writes_.emplace(last_, last_ticket_);
    }
    bytes_ += size;
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
    send_again(found->second, instant{});
    std::optional<errand> ended = std::move(found->second);
    all_.erase(found);
    bytes_ -= ended->body.size();
    if (ended->seq) {
        writes_.erase(*ended->seq);
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

sequence errands::first_unacked() const {
    return writes_.empty() ? last_.next() : writes_.begin()->first;
}

bool errands::may_send(const errand& what, std::uint32_t window, instant now) const {
    if (what.sent || now < what.send_at) {
        return false;
    }
    if (what.kind != errand_kind::write) {
        return true;
    }
    const bool has_a_place =
        window == 0 || what.seq->value() - first_unacked().value() < std::uint64_t{window};
    return has_a_place && in_flight_ < most_in_flight &&
           (in_flight_ == 0 || in_flight_bytes_ + what.body.size() <= most_in_flight_bytes);
}

void errands::sent(errand& what) {
    what.sent = true;
    what.busy = false;
    if (what.kind == errand_kind::write) {
        ++in_flight_;
        in_flight_bytes_ += what.body.size();
    }
}

void errands::send_again(errand& what, instant not_before) {
    if (what.sent && what.kind == errand_kind::write) {
        --in_flight_;
        in_flight_bytes_ -= what.body.size();
    }
    what.sent = false;
    what.send_at = not_before;
}

std::vector<ticket> errands::overdue(instant now) const {
    std::vector<ticket> late;
    for (const auto& [number, one] : all_) {
        if (now >= one.deadline) {
            late.push_back(number);
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
    last_ = sequence{};
}

instant errands::wake(instant now) const {
    instant next = instant::max();
    for (const auto& [number, one] : all_) {
        next = std::min(next, one.deadline);
        if (one.send_at > now) {
            next = std::min(next, one.send_at);
        }
    }
    return next;
}

} // namespace almenara::client
