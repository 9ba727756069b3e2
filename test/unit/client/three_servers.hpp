#pragma once

#include "unit/client/failover_stand.hpp"

#include <string>
#include <vector>

namespace almenara::test {

/// A client that was named three servers.
[[nodiscard]] inline client::failover_options three() {
    return {.servers = {"a:1", "b:2", "c:3"},
            .user = "anna",
            .client_name = "test 1",
            .follow = client::all_ways_in_passing};
}

// What servers say of who rules (PRIMARY_IS, a redirect) and who the members are.

template <class Message>
[[nodiscard]] Message naming(request_id request, const std::string& address, epoch at) {
    Message told;
    told.request = request;
    told.epoch = at;
    told.primary = failover_stand::member(address);
    return told;
}

[[nodiscard]] inline wire::members members(const std::vector<std::string>& addresses,
                                           const std::string& primary,
                                           log_index config,
                                           epoch at) {
    wire::members told;
    told.config_index = config;
    told.epoch = at;
    for (const std::string& address : addresses) {
        const auto role =
            address == primary ? wire::server_role::primary : wire::server_role::backup;
        told.servers.push_back({.id = failover_stand::server_of(address),
                                .addresses = {address},
                                .up = true,
                                .role = role});
    }
    return told;
}

} // namespace almenara::test
