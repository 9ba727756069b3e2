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

/// Here and in the order in which they came, when the time comes; others are only told something.
bool will_be_served(held_for reason) {
    return reason == held_for::slot || reason == held_for::next_turn || reason == held_for::office;
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
    if (held_.size() >= most_.requests || bytes_ + weight_of(who.request) > most_.bytes) {
        return false;
    }
    count_in(who);
    held_.push_back(std::move(who));
    return true;
}

template <class Predicate>
std::vector<held_request> waiting_room::take_if(Predicate wanted) {
    std::vector<held_request> taken;
    std::vector<held_request> left;
    for (held_request& one : held_) {
        if (gone_.contains(one.connection)) {
            count_out(one);
        } else if (wanted(std::as_const(one))) {
            count_out(one);
            taken.push_back(std::move(one));
        } else {
            left.push_back(std::move(one));
        }
    }
    held_ = std::move(left);
    gone_.clear();
    return taken;
}

// -- Who has what ---------------------------------------------------------------------------------

template <class Key>
void waiting_room::count_in(std::map<Key, share>& shares, Key whose, held_for reason) {
    share& all = shares[whose];
    ++all.all;
    if (will_be_served(reason)) {
        ++all.in_order;
        all.newest = reason;
    }
}

template <class Key>
void waiting_room::count_out(std::map<Key, share>& shares, Key whose, held_for reason) {
    const auto found = shares.find(whose);
    if (will_be_served(reason)) {
        --found->second.in_order;
    }
    if (--found->second.all == 0) {
        shares.erase(found);
    }
}

void waiting_room::count_in(const held_request& who) {
    bytes_ += weight_of(who.request);
    ++counts_[static_cast<std::size_t>(who.reason)];
    count_in(of_connections_, who.connection, who.reason);
    count_in(of_sessions_, session_of(who.request), who.reason);
}

void waiting_room::count_out(const held_request& who) {
    bytes_ -= weight_of(who.request);
    --counts_[static_cast<std::size_t>(who.reason)];
    count_out(of_connections_, who.connection, who.reason);
    count_out(of_sessions_, session_of(who.request), who.reason);
}

std::optional<held_for> waiting_room::reason_of_earlier(connection_id connection,
                                                        session_id session) const {
    const auto own = of_connections_.find(connection);
    if (own != of_connections_.end() && own->second.in_order > 0) {
        return own->second.newest;
    }
    const auto same = of_sessions_.find(session);
    const bool is_one = session != session_id{};
    return is_one && same != of_sessions_.end() && same->second.in_order > 0
               ? std::optional{same->second.newest}
               : std::nullopt;
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
    if (of_connections_.contains(connection)) {
        gone_.insert(connection);
    }
}

std::optional<instant> waiting_room::next_deadline() const {
    const auto first = std::min_element(
        held_.begin(), held_.end(), [](const auto& a, const auto& b) { return a.until < b.until; });
    return first == held_.end() ? std::nullopt : std::optional{first->until};
}

} // namespace almenara::server
