#include "server/cluster_view.hpp"

#include "base/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::server {

namespace {

const replica::peer_status* find_peer(const replica::core_status& status, server_id id) {
    const auto found = std::find_if(status.peers.begin(), status.peers.end(),
                                    [id](const auto& one) { return one.id == id; });
    return found == status.peers.end() ? nullptr : &*found;
}

std::vector<server_id> ids_of(const cluster_view& from) {
    std::vector<server_id> ids;
    if (from.config != nullptr) {
        for (const replica::member& one : from.config->members) {
            ids.push_back(one.id);
        }
    } else {
        ids = from.listed;
    }
    if (std::find(ids.begin(), ids.end(), from.self) == ids.end()) {
        ids.push_back(from.self);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

bool rules(const cluster_view& from) {
    return from.status.role == replica::role_name::primary;
}

/// Another server's role is known as far as it is linked: more than this it does not say.
std::optional<wire::server_role> role_of_peer(const cluster_view& from,
                                              const replica::peer_status* peer,
                                              server_id id) {
    if (peer == nullptr || !peer->open) {
        return std::nullopt;
    }
    if (from.config == nullptr) {
        return wire::server_role::boot;
    }
    return primary_of(from) == id ? wire::server_role::primary : wire::server_role::backup;
}

/// Only a primary knows how well others keep up.
std::optional<wire::server_state> state_of_peer(const cluster_view& from,
                                                const replica::peer_status* peer) {
    if (peer == nullptr || !peer->open) {
        return wire::server_state::down;
    }
    if (!rules(from)) {
        return std::nullopt;
    }
    if (peer->sick) {
        return wire::server_state::sick;
    }
    if (peer->draining) {
        return wire::server_state::draining;
    }
    if (peer->no_space) {
        return wire::server_state::no_space;
    }
    if (peer->in_sync) {
        return wire::server_state::in_sync;
    }
    return peer->over_bulk ? wire::server_state::catching_up : wire::server_state::lagging;
}

std::optional<wire::server_state> own_state(const cluster_view& from) {
    if (from.status.damaged) {
        return wire::server_state::sick;
    }
    if (from.status.draining) {
        return wire::server_state::draining;
    }
    if (from.status.no_space) {
        return wire::server_state::no_space;
    }
    if (rules(from)) {
        return from.status.in_sync ? wire::server_state::in_sync : wire::server_state::lagging;
    }
    return std::nullopt;
}

wire::server_status self_in(const cluster_view& from) {
    wire::server_status self;
    self.role = role_of(from.status);
    self.state = own_state(from);
    if (from.config != nullptr) {
        self.match = from.status.durable_upto;
        const log_index last = from.status.last.index;
        self.lag = rules(from) ? last.value() - std::min(from.status.durable_upto, last).value()
                               : from.status.commit.value() -
                                     std::min(from.status.durable_upto, from.status.commit).value();
    }
    self.priority = from.priority;
    self.version = std::string{version};
    self.last_heard = from.wall;
    return self;
}

wire::server_status peer_in(const cluster_view& from, server_id id) {
    const replica::peer_status* const peer = find_peer(from.status, id);
    wire::server_status one;
    one.role = role_of_peer(from, peer, id);
    one.state = state_of_peer(from, peer);
    if (peer != nullptr && peer->open && rules(from)) {
        one.match = peer->match;
        one.lag =
            from.status.last.index.value() - std::min(peer->match, from.status.last.index).value();
    }
    if (peer != nullptr && peer->last_heard) {
        const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::max(from.now - *peer->last_heard, duration{0}));
        one.last_heard = wall_time{from.wall.since_epoch() - ago};
    }
    if (peer != nullptr) {
        one.priority = peer->priority;
    }
    return one;
}

} // namespace

void address_book::learn(server_id id, std::vector<std::string> addresses) {
    if (!addresses.empty()) {
        addresses_[id] = std::move(addresses);
    }
}

wire::member_address address_book::find(server_id id) const {
    wire::member_address one;
    one.id = id;
    if (const auto found = addresses_.find(id); found != addresses_.end()) {
        one.addresses = found->second;
    }
    return one;
}

wire::server_role role_of(const replica::core_status& status) {
    switch (status.role) {
    case replica::role_name::boot:
        return wire::server_role::boot;
    case replica::role_name::learner:
        return wire::server_role::learner;
    case replica::role_name::backup:
        return wire::server_role::backup;
    case replica::role_name::prospect:
        return wire::server_role::prospect;
    case replica::role_name::candidate:
        return wire::server_role::candidate;
    case replica::role_name::primary:
        return wire::server_role::primary;
    }
    return wire::server_role::boot;
}

std::optional<server_id> primary_of(const cluster_view& from) {
    if (rules(from)) {
        return from.self;
    }
    return from.status.known_primary == from.self ? std::nullopt : from.status.known_primary;
}

std::vector<wire::member_address> members_of(const cluster_view& from) {
    std::vector<wire::member_address> all;
    for (const server_id id : ids_of(from)) {
        all.push_back(from.addresses.find(id));
    }
    return all;
}

std::vector<wire::member_state> states_of(const cluster_view& from) {
    std::vector<wire::member_state> all;
    for (const server_id id : ids_of(from)) {
        const replica::peer_status* const peer = find_peer(from.status, id);
        wire::member_state one;
        one.id = id;
        one.addresses = from.addresses.find(id).addresses;
        one.up = id == from.self || (peer != nullptr && peer->open);
        one.role = id == from.self
                       ? role_of(from.status)
                       : role_of_peer(from, peer, id)
                             .value_or(from.config == nullptr ? wire::server_role::boot
                                                              : wire::server_role::backup);
        all.push_back(std::move(one));
    }
    return all;
}

cluster_known known_of(const cluster_view& from) {
    cluster_known known{.epoch = from.status.epoch,
                        .role = from.status.role,
                        .primary = from.status.known_primary,
                        .config = from.status.config_index,
                        .up = {}};
    for (const replica::peer_status& peer : from.status.peers) {
        if (peer.open) {
            known.up.push_back(peer.id);
        }
    }
    return known;
}

std::optional<std::string> why_no_transfer(const cluster_view& from,
                                           std::optional<server_id> target) {
    if (from.status.handing_over) {
        return fmt::format("server {} is handing over already", from.self);
    }
    const auto& peers = from.status.peers;
    if (!target) {
        const bool is_somebody = std::any_of(peers.begin(), peers.end(),
                                             [](const auto& peer) { return peer.can_succeed; });
        return is_somebody ? std::nullopt
                           : std::optional<std::string>{"no other server is in the sync set, so "
                                                        "nobody could take over"};
    }
    const auto found = std::find_if(peers.begin(), peers.end(),
                                    [&target](const auto& peer) { return peer.id == *target; });
    if (found != peers.end() && found->can_succeed) {
        return std::nullopt;
    }
    const auto state = state_of_peer(from, found == peers.end() ? nullptr : &*found);
    return fmt::format("server {} cannot take over now{}", *target,
                       state ? fmt::format(": it is {}", wire::enumerator_name(*state)) : "");
}

wire::status_reply status_of(const cluster_view& from) {
    wire::status_reply reply;
    reply.cluster = from.status.durable.cluster;
    reply.epoch = from.status.epoch;
    reply.primary = primary_of(from);
    reply.quorum = false;
    if (from.config != nullptr) {
        const std::size_t needed = replica::majority(*from.config);
        const std::size_t there = from.status.reach;
        reply.quorum = reply.primary.has_value() && there >= needed;
        const auto& peers = from.status.peers;
        // B.8: nobody but its primary of now, or not even that one, could bring it up to date.
        const auto lost = static_cast<std::size_t>(
            std::count_if(peers.begin(), peers.end(),
                          [](const auto& peer) { return peer.open && peer.out_of_reach; }));
        reply.tolerates =
            static_cast<std::uint32_t>(there > needed + lost ? there - needed - lost : 0);
        reply.commit = from.status.commit;
        reply.config_index = from.status.config_index;
    }
    for (const server_id id : ids_of(from)) {
        wire::server_status one = id == from.self ? self_in(from) : peer_in(from, id);
        one.id = id;
        const auto addresses = from.addresses.find(id).addresses;
        one.address = addresses.empty() ? std::string{} : addresses.front();
        reply.servers.push_back(std::move(one));
    }
    reply.answered_by = from.self;
    return reply;
}

} // namespace almenara::server
