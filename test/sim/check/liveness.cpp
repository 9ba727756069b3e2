#include "sim/check/liveness.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace almenara::sim::check {

namespace {

bool asks_for_votes(const replica::outgoing& sent) {
    const auto* election = std::get_if<replica::election>(sent.message.get());
    return election != nullptr && election->reason != replica::election_reason::takeover &&
           election->reason != replica::election_reason::handover;
}

} // namespace

void liveness::faults_stopped(instant now, std::set<server_id> connected) {
    since_ = now;
    connected_ = std::move(connected);
}

void liveness::took(server_id server,
                    const replica::output& out,
                    const replica::core_status& status,
                    instant now) {
    if (!connected_.contains(server)) {
        return;
    }
    clock(now);
    if (settled_ && std::any_of(out.send.begin(), out.send.end(), asks_for_votes)) {
        found_.report("I24", "server {} starts an election; server {} is primary of epoch {}",
                      server, settled_->id, settled_->of);
    }
    seen& is = servers_[server];
    is.role = status.role;
    is.of = status.epoch;
    is.damaged = status.damaged.has_value();
    is.in_sync.clear();
    is.out_of_reach.clear();
    for (const auto& peer : status.peers) {
        if (peer.in_sync) {
            is.in_sync.insert(peer.id);
        }
        if (peer.out_of_reach) {
            is.out_of_reach.insert(peer.id);
        }
    }
    watch_primary();
}

std::optional<liveness::office> liveness::newest_primary() const {
    std::optional<office> newest;
    for (const auto& [id, is] : servers_) {
        if (is.role == replica::role_name::primary && (!newest || newest->of < is.of)) {
            newest = office{.id = id, .of = is.of};
        }
    }
    return newest;
}

void liveness::watch_primary() {
    const auto primary = newest_primary();
    if (settled_ && (!primary || primary->id != settled_->id || primary->of != settled_->of)) {
        found_.report("I21", "server {} was primary of epoch {} and did not stay", settled_->id,
                      settled_->of);
    }
    if (primary) {
        watch_sync_set(*primary);
    }
}

/// I22, also of one who leaves again: with nothing that goes wrong nobody falls behind.
void liveness::watch_sync_set(const office& primary) {
    const bool now_in_sync = is_in_sync(primary);
    if (synced_ && settled_ && !now_in_sync) {
        found_.report("I22", "everybody was in the sync set of server {}, and now somebody is not",
                      primary.id);
    }
    synced_ = now_in_sync;
}

void liveness::ended(server_id server, instant now) {
    if (servers_.erase(server) != 0) {
        clock(now);
        watch_primary();
        synced_ = false;
    }
}

bool liveness::is_in_sync(const office& primary) const {
    const seen& its = servers_.at(primary.id);
    return std::all_of(connected_.begin(), connected_.end(), [&](server_id id) {
        return id == primary.id || its.in_sync.contains(id) || waits_for_snapshot(id, its);
    });
}

/// B.8: two logs were damaged, and the one whose server rules now was given up for its state. Only
/// a snapshot can repair the other one.
bool liveness::waits_for_snapshot(server_id server, const seen& primary) const {
    const auto found = servers_.find(server);
    return found != servers_.end() && found->second.damaged &&
           primary.out_of_reach.contains(server);
}

void liveness::clock(instant now) {
    if (!settled_ && now >= since_ + terms_.primary_within) {
        settled_ = newest_primary();
        synced_ = settled_ && is_in_sync(*settled_);
        if (!settled_) {
            found_.report("I21", "no primary {} after the last fault",
                          to_string(terms_.primary_within));
        }
    }
    if (!synced_ && now >= since_ + terms_.in_sync_within) {
        found_.report("I22", "not everybody is in the sync set {} after the last fault",
                      to_string(terms_.in_sync_within));
    }
}

void liveness::over(instant now, std::size_t held, const std::set<server_id>& running) {
    clock(now);
    for (const server_id server : connected_) {
        if (!running.contains(server)) {
            found_.report("I22", "server {} has a disk and does not run at the end", server);
        }
    }
    if (held != 0) {
        found_.report("I23", "{} operations of clients did not end", held);
    }
}

} // namespace almenara::sim::check
