#include "server/cold_queue.hpp"

#include "server/waiting_room.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace almenara::server {

namespace {

std::size_t weight_of(const attempt& who) {
    return who.so_far.supplied.bytes() + (who.request ? server::weight_of(*who.request) : 0);
}

bool is_of_the_office(const attempt& who) {
    const auto* const asked = who.request ? std::get_if<wire::read>(&*who.request) : nullptr;
    return asked == nullptr || asked->mode != wire::read_mode::stale;
}

/// Those that are wanted go to `taken`.
template <class Wanted>
void move_some(std::deque<attempt>& from, const Wanted& wanted, std::vector<attempt>& taken) {
    std::deque<attempt> left;
    for (attempt& one : from) {
        if (wanted(std::as_const(one))) {
            taken.push_back(std::move(one));
        } else {
            left.push_back(std::move(one));
        }
    }
    from = std::move(left);
}

} // namespace

std::optional<session_id> line_of(const attempt& who) {
    if (!who.request || who.explains) {
        return std::nullopt;
    }
    if (const auto* const asked = std::get_if<wire::operation>(&*who.request)) {
        return asked->session;
    }
    if (const auto* const asked = std::get_if<wire::session_close>(&*who.request)) {
        return asked->session;
    }
    return std::nullopt;
}

// -- Waiting --------------------------------------------------------------------------------------

bool cold_queue::has_room(const attempt& who) const {
    return size_ < most_.requests && bytes_ + weight_of(who) <= most_.bytes;
}

bool cold_queue::wait(attempt& who, state::needs_inputs& missing) {
    if (!has_room(who) || who.so_far.rounds >= most_.rounds) {
        return false;
    }
    ++who.so_far.rounds;
    who.so_far.supplied.keep(std::move(missing.hold));
    if (const auto session = line_of(who)) {
        lines_[*session].has_first = true;
    }
    count_in(who);
    last_ = last_.next();
    fetching_.emplace(last_, fetching{.who = std::move(who), .wanted = std::move(missing.wanted)});
    not_asked_.push_back(last_);
    return true;
}

bool cold_queue::wait_in_line(attempt& who) {
    line& all = lines_.at(*line_of(who));
    if (!has_room(who) || all.behind.size() >= most_.of_a_session) {
        return false;
    }
    count_in(who);
    all.behind.push_back(std::move(who));
    return true;
}

std::optional<cold_queue::order> cold_queue::next_order() {
    while (!not_asked_.empty() && asked_ < most_.fetches) {
        const fetch_ticket ticket = not_asked_.front();
        not_asked_.pop_front();
        const auto found = fetching_.find(ticket);
        if (found != fetching_.end()) {
            ++asked_;
            return order{.ticket = ticket, .wanted = std::move(found->second.wanted)};
        }
    }
    return std::nullopt;
}

void cold_queue::arrived(fetch_ticket ticket, state::inputs more) {
    --asked_;
    auto found = fetching_.extract(ticket);
    if (found.empty()) {
        return;
    }
    attempt& who = found.mapped().who;
    bytes_ += more.bytes();
    who.so_far.supplied.add(std::move(more));
    ready_.push_back(std::move(who));
}

// -- Going on -------------------------------------------------------------------------------------

std::optional<attempt> cold_queue::take_ready() {
    if (ready_.empty()) {
        return std::nullopt;
    }
    attempt who = std::move(ready_.front());
    ready_.pop_front();
    count_out(who);
    if (const auto session = line_of(who)) {
        lines_.at(*session).has_first = false;
        who.so_far.is_first = true;
    }
    return who;
}

void cold_queue::went_on(session_id session) {
    const auto found = lines_.find(session);
    if (found == lines_.end() || found->second.has_first) {
        return;
    }
    line& all = found->second;
    if (all.behind.empty()) {
        lines_.erase(found);
        return;
    }
    ready_.push_back(std::move(all.behind.front()));
    all.behind.pop_front();
    all.has_first = true;
}

// -- Going away -----------------------------------------------------------------------------------

template <class Wanted>
std::vector<attempt> cold_queue::take_if(const Wanted& wanted) {
    std::vector<attempt> taken;
    for (auto one = fetching_.begin(); one != fetching_.end();) {
        if (wanted(std::as_const(one->second.who))) {
            taken.push_back(std::move(one->second.who));
            one = fetching_.erase(one);
        } else {
            ++one;
        }
    }
    move_some(ready_, wanted, taken);
    std::vector<session_id> without_first;
    for (const attempt& one : taken) {
        if (const auto session = line_of(one)) {
            lines_.at(*session).has_first = false;
            without_first.push_back(*session);
        }
    }
    for (auto& [session, all] : lines_) {
        move_some(all.behind, wanted, taken);
    }
    for (const session_id session : without_first) {
        went_on(session);
    }
    std::for_each(taken.begin(), taken.end(), [this](const attempt& one) { count_out(one); });
    return taken;
}

std::vector<attempt> cold_queue::take_those_of_the_office() {
    return take_if(is_of_the_office);
}

void cold_queue::connection_ended(connection_id connection) {
    if (size_ > 0) {
        static_cast<void>(take_if([connection](const attempt& one) {
            return one.request && one.connection == connection;
        }));
    }
}

void cold_queue::count_in(const attempt& who) {
    ++size_;
    bytes_ += weight_of(who);
}

void cold_queue::count_out(const attempt& who) {
    --size_;
    bytes_ -= weight_of(who);
}

} // namespace almenara::server
