#include "sim/beacon.hpp"

#include <array>

namespace almenara::sim {

namespace {

base::key256 a_key(dice& luck) {
    std::array<std::byte, 32> bytes{};
    for (std::byte& each : bytes) {
        each = static_cast<std::byte>(luck.below(256));
    }
    return base::key256{bytes};
}

/// Machines are found by their numbers.
wire::datagram_address address_of(node at) {
    return {.ip = {std::byte{127}, {}, {}, static_cast<std::byte>(at.value())},
            .is_v6 = false,
            .port = 7400};
}

node node_at(const wire::datagram_address& address) {
    return node{static_cast<std::uint32_t>(address.ip[3])};
}

} // namespace

base::key256 the_announce_key() {
    return base::key256{{std::byte{7}, std::byte{7}}};
}

beacon::beacon(dice& luck)
    : desk_({.announce_key = the_announce_key(), .cookie_key = a_key(luck)}) {
    desk_.belongs_to(the_cluster);
}

void beacon::new_primary(epoch at, server_id primary, bool is_this_server, instant now) {
    desk_.new_primary({.epoch = at,
                       .primary = primary,
                       .addresses = {address_of(node_of(primary))},
                       .config_index = {},
                       .is_this_server = is_this_server},
                      now);
}

void beacon::attended(const std::vector<almenara::server::attendance::change>& changes) {
    for (const auto& each : changes) {
        if (each.is_here) {
            desk_.attached(each.device);
        } else {
            desk_.gone(each.device);
        }
    }
}

std::vector<std::pair<node, base::byte_vector>> beacon::work(instant now) {
    for (const auto& [from, bytes] : std::exchange(came_, {})) {
        desk_.received(address_of(from), bytes, now);
    }
    desk_.due(now);
    static_cast<void>(desk_.take_presence(now));
    std::vector<std::pair<node, base::byte_vector>> leaving;
    for (auto& each : desk_.take_datagrams()) {
        leaving.emplace_back(node_at(each.to), std::move(each.bytes));
    }
    return leaving;
}

} // namespace almenara::sim
