#include "server/waiting_room.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace almenara::server {

namespace {

/// What a request costs beside what it carries.
constexpr std::size_t weight_of_any = 256;

log_index last_seen(const client_request& what) {
    const auto* const question = std::get_if<wire::read>(&what);
    return question == nullptr ? log_index{} : question->last_seen;
}

} // namespace

std::size_t weight_of(const client_request& what) {
    return weight_of_any + std::visit(
                               []<class Request>(const Request& asked) -> std::size_t {
                                   if constexpr (requires { asked.body; }) {
                                       return asked.body.size();
                                   } else if constexpr (requires { asked.user; }) {
                                       return asked.user.size() + asked.device_name.size();
                                   } else {
                                       return 0;
                                   }
                               },
                               what);
}

bool waiting_room::hold(held_request& who) {
    const std::size_t weight = weight_of(who.request);
    if (held_.size() >= most_.requests || bytes_ + weight > most_.bytes) {
        return false;
    }
    bytes_ += weight;
    ++counts_[static_cast<std::size_t>(who.reason)];
    held_.push_back(std::move(who));
    return true;
}

template <class Predicate>
std::vector<held_request> waiting_room::take_if(Predicate wanted) {
    std::vector<held_request> taken;
    std::vector<held_request> left;
    for (held_request& one : held_) {
        (wanted(one) ? taken : left).push_back(std::move(one));
    }
    held_ = std::move(left);
    for (const held_request& one : taken) {
        bytes_ -= weight_of(one.request);
        --counts_[static_cast<std::size_t>(one.reason)];
    }
    return taken;
}

std::vector<held_request> waiting_room::take(held_for reason) {
    if (!has(reason)) {
        return {};
    }
    return take_if([reason](const held_request& one) { return one.reason == reason; });
}

std::vector<held_request> waiting_room::take_caught_up(log_index committed) {
    if (!has(held_for::catch_up)) {
        return {};
    }
    return take_if([committed](const held_request& one) {
        return one.reason == held_for::catch_up && last_seen(one.request) <= committed;
    });
}

std::vector<held_request> waiting_room::take_due(instant now) {
    if (held_.empty()) {
        return {};
    }
    return take_if([now](const held_request& one) { return one.until <= now; });
}

void waiting_room::connection_ended(connection_id connection) {
    if (!held_.empty()) {
        static_cast<void>(take_if(
            [connection](const held_request& one) { return one.connection == connection; }));
    }
}

std::optional<instant> waiting_room::next_deadline() const {
    const auto first = std::min_element(
        held_.begin(), held_.end(), [](const auto& a, const auto& b) { return a.until < b.until; });
    return first == held_.end() ? std::nullopt : std::optional{first->until};
}

} // namespace almenara::server
