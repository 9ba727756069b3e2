#include "server/cold_queue.hpp"

#include "server/waiting_room.hpp"

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
    // C.1: the newest one counts, and what came behind it is of the connection that it names.
    if (const auto* const asked = std::get_if<wire::attach>(&*who.request)) {
        return asked->session;
    }
    return std::nullopt;
}

// -- Coming and leaving ---------------------------------------------------------------------------

bool cold_queue::has_room(const attempt& who) const {
    return all_.size() < most_.requests && bytes_ + weight_of(who) <= most_.bytes;
}

cold_queue::place cold_queue::enter(waiting&& what) {
    last_ = last_.next();
    const attempt& who = what.who;
    bytes_ += weight_of(who);
    if (who.request) {
        share& mine = shares_[who.connection];
        mine.all.insert(last_);
        if (const auto session = line_of(who)) {
            ++mine.lines[*session];
        }
    }
    if (who.so_far.until) {
        deadlines_.emplace(*who.so_far.until, last_);
    }
    waiting& entered = all_.emplace(last_, std::move(what)).first->second;
    move_to(entered, last_, entered.at);
    return last_;
}

void cold_queue::move_to(waiting& what, place where, stage next) {
    drop_from(where, what);
    what.at = next;
    if (next == stage::to_be_asked) {
        to_be_asked_.insert(where);
    } else if (next == stage::ready) {
        ready_.insert(where);
    } else if (next == stage::in_line) {
        lines_.at(*line_of(what.who)).behind.insert(where);
    }
}

void cold_queue::drop_from(place where, const waiting& what) {
    if (what.at == stage::to_be_asked) {
        to_be_asked_.erase(where);
    } else if (what.at == stage::ready) {
        ready_.erase(where);
    } else if (what.at == stage::in_line) {
        lines_.at(*line_of(what.who)).behind.erase(where);
    }
}

attempt cold_queue::leave(place where) {
    auto found = all_.extract(where);
    waiting& what = found.mapped();
    drop_from(where, what);
    attempt& who = what.who;
    bytes_ -= weight_of(who);
    if (who.so_far.until) {
        deadlines_.erase({*who.so_far.until, where});
    }
    if (who.request) {
        const auto mine = shares_.find(who.connection);
        mine->second.all.erase(where);
        const auto session = line_of(who);
        if (session && --mine->second.lines.at(*session) == 0) {
            mine->second.lines.erase(*session);
        }
        if (mine->second.all.empty()) {
            shares_.erase(mine);
        }
    }
    return std::move(who);
}

/// It is not tried again: the next of its session may.
attempt cold_queue::leave_for_good(place where) {
    const bool was_first = all_.at(where).at != stage::in_line;
    attempt who = leave(where);
    if (const auto session = line_of(who); session && was_first) {
        lines_.at(*session).has_first = false;
        went_on(*session);
    }
    return who;
}

// -- Waiting --------------------------------------------------------------------------------------

bool cold_queue::wait(attempt& who, state::needs_inputs& missing) {
    if (!has_room(who) || who.so_far.rounds >= most_.rounds) {
        return false;
    }
    ++who.so_far.rounds;
    who.so_far.supplied.keep(std::move(missing.hold));
    who.so_far.is_new = who.so_far.is_new || missing.is_new;
    if (const auto session = line_of(who)) {
        lines_[*session].has_first = true;
    }
    enter({.who = std::move(who), .at = stage::to_be_asked, .wanted = std::move(missing.wanted)});
    return true;
}

bool cold_queue::wait_in_line(attempt& who) {
    if (!has_room(who) || lines_.at(*line_of(who)).behind.size() >= most_.of_a_session) {
        return false;
    }
    enter({.who = std::move(who), .at = stage::in_line});
    return true;
}

bool cold_queue::has_other_line(connection_id connection, session_id session) const {
    const auto mine = shares_.find(connection);
    return mine != shares_.end() && mine->second.lines.size() > mine->second.lines.count(session);
}

std::optional<cold_queue::order> cold_queue::next_order() {
    if (to_be_asked_.empty() || asked_ >= most_.fetches) {
        return std::nullopt;
    }
    const place where = *to_be_asked_.begin();
    waiting& what = all_.at(where);
    move_to(what, where, stage::asked);
    ++asked_;
    return order{.ticket = where, .wanted = std::move(what.wanted)};
}

void cold_queue::arrived(fetch_ticket ticket, state::inputs more) {
    --asked_;
    const auto found = all_.find(ticket);
    if (found == all_.end()) {
        return;
    }
    bytes_ += more.bytes();
    found->second.who.so_far.supplied.add(std::move(more));
    move_to(found->second, ticket, stage::ready);
}

// -- Going on -------------------------------------------------------------------------------------

std::optional<attempt> cold_queue::take_ready() {
    if (ready_.empty()) {
        return std::nullopt;
    }
    attempt who = leave(*ready_.begin());
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
    all.has_first = true;
    const place next = *all.behind.begin();
    move_to(all_.at(next), next, stage::ready);
}

std::optional<instant> cold_queue::next_deadline() const {
    return deadlines_.empty() ? std::nullopt : std::optional{deadlines_.begin()->first};
}

std::vector<attempt> cold_queue::take_due(instant now) {
    std::vector<attempt> due;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        due.push_back(leave_for_good(deadlines_.begin()->second));
    }
    return due;
}

// -- Going away -----------------------------------------------------------------------------------

std::vector<attempt> cold_queue::take_those_of_the_office() {
    std::vector<place> places;
    for (const auto& [where, what] : all_) {
        if (is_of_the_office(what.who)) {
            places.push_back(where);
        }
    }
    std::vector<attempt> taken;
    for (const place where : places) {
        taken.push_back(leave_for_good(where));
    }
    return taken;
}

void cold_queue::connection_ended(connection_id connection) {
    // Many may end in one turn: each looks at its own requests only.
    for (auto mine = shares_.find(connection); mine != shares_.end();
         mine = shares_.find(connection)) {
        static_cast<void>(leave_for_good(*mine->second.all.begin()));
    }
}

} // namespace almenara::server
