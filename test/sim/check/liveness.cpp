#include "sim/check/liveness.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace almenara::sim::check {

namespace {

constexpr unsigned most_servers = 7;

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
    is.in_sync.clear();
    for (const auto& peer : status.peers) {
        if (peer.in_sync) {
            is.in_sync.insert(peer.id);
        }
    }
    watch_primary(now);
    if (settled_ && settled_->id == server && is.role == replica::role_name::primary) {
        somebody_out_of_reach_ = std::any_of(status.peers.begin(), status.peers.end(),
                                             [](const auto& peer) { return peer.out_of_reach; });
    }
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

void liveness::watch_primary(instant now) {
    const auto primary = newest_primary();
    const bool has_gone =
        settled_ && (!primary || primary->id != settled_->id || primary->of != settled_->of);
    if (has_gone && std::exchange(somebody_out_of_reach_, false) && ++times_gone_ < most_servers) {
        settled_.reset(); // The time for finding one begins anew.
        since_ = now;
    } else if (has_gone) {
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
        watch_primary(now);
        synced_ = false;
    }
}

bool liveness::is_in_sync(const office& primary) const {
    const auto& in_sync = servers_.at(primary.id).in_sync;
    return std::all_of(connected_.begin(), connected_.end(),
                       [&](server_id id) { return id == primary.id || in_sync.contains(id); });
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
