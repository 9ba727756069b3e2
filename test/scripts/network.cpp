#include "scripts/network.hpp"

#include <algorithm>

namespace almenara::scripts {

namespace {

void not_before(std::deque<parcel>& parcels, instant now) {
    for (parcel& each : parcels) {
        each.due = std::max(each.due, now);
    }
}

} // namespace

void network::set_cut(direction way, bool on, instant now) {
    if (on) {
        cuts_.insert(way);
    } else {
        cuts_.erase(way);
    }
    for (connection* const c : all_between(way)) {
        not_before(c->towards[c->end_of(way.to)], now + delay);
        for (const std::size_t end : {0U, 1U}) {
            c->unacknowledged[end].reset();
            if (on && !c->towards[1 - end].empty()) {
                note_unacknowledged(*c, end, now);
            }
        }
    }
}

void network::set_held(direction way, bool on, instant now) {
    if (on) {
        held_.insert(way);
    } else {
        held_.erase(way);
    }
    for (connection* const c : all_between(way)) {
        not_before(c->towards[c->end_of(way.to)], now);
    }
}

connection& network::connect(const dial& which) {
    const connection_id id{++last_id_};
    connection& c = connections[id];
    c.id = id;
    c.kind = which.request.kind;
    c.ends = {which.from, which.request.peer};
    return c;
}

/// Data needs one direction and its acknowledgement the other.
void network::note_unacknowledged(connection& c, std::size_t end, instant now) const {
    const bool lost = is_cut(way_of(c, 1 - end)) || is_cut(way_of(c, end));
    if (lost && c.open[end] && !c.unacknowledged[end]) {
        c.unacknowledged[end] = now;
    }
}

void network::send(connection_id on, server_id from, parcel what) {
    const auto found = connections.find(on);
    if (found == connections.end()) {
        return;
    }
    connection& c = found->second;
    const std::size_t end = c.end_of(from);
    if (!c.open[end]) {
        return;
    }
    const instant now = what.due;
    what.due = now + delay;
    c.towards[1 - end].push_back(std::move(what));
    note_unacknowledged(c, end, now);
}

void network::close(connection_id on, server_id from, instant now) {
    const auto found = connections.find(on);
    if (found == connections.end()) {
        return;
    }
    send(on, from, {.due = now});
    vanish(on, from);
}

void network::vanish(connection_id on, server_id at) {
    const auto found = connections.find(on);
    if (found == connections.end()) {
        return;
    }
    connection& c = found->second;
    const std::size_t end = c.end_of(at);
    c.open[end] = false;
    c.unacknowledged[end].reset();
    c.towards[end].clear();
    if (!c.open[1 - end] && c.towards[1 - end].empty()) {
        connections.erase(found);
    }
}

std::optional<network::arrival> network::next(const std::function<bool(server_id)>& reads) const {
    std::optional<arrival> first;
    for (const auto& [id, c] : connections) {
        for (const std::size_t to : {0U, 1U}) {
            const direction way = way_of(c, to);
            if (c.towards[to].empty() || is_cut(way) || is_held(way) || !reads(way.to)) {
                continue;
            }
            const instant due = c.towards[to].front().due;
            if (!first || due < first->due) {
                first = arrival{.due = due, .on = id, .to = to};
            }
        }
    }
    return first;
}

parcel network::take(const arrival& which) {
    std::deque<parcel>& parcels = connections.at(which.on).towards[which.to];
    parcel first = parcels.front();
    parcels.pop_front();
    return first;
}

std::optional<network::expiry> network::next_expiry() const {
    std::optional<expiry> first;
    for (const auto& [id, c] : connections) {
        for (const std::size_t at : {0U, 1U}) {
            if (!c.open[at] || !c.unacknowledged[at]) {
                continue;
            }
            const instant due = *c.unacknowledged[at] + patience;
            if (!first || due < first->due) {
                first = expiry{.due = due, .on = id, .at = at};
            }
        }
    }
    return first;
}

connection* network::between(direction way, replica::connection_kind kind) {
    connection* newest = nullptr;
    for (connection* const c : all_between(way)) {
        if (c->kind == kind && c->open[0] && c->open[1]) {
            newest = c;
        }
    }
    return newest;
}

std::vector<connection*> network::all_between(direction way) {
    std::vector<connection*> found;
    for (auto& [id, c] : connections) {
        const std::array<server_id, 2> same{way.from, way.to};
        const std::array<server_id, 2> turned{way.to, way.from};
        if (c.ends == same || c.ends == turned) {
            found.push_back(&c);
        }
    }
    return found;
}

} // namespace almenara::scripts
