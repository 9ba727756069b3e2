#pragma once

#include "base/ids.hpp"
#include "replica/config.hpp"
#include "replica/gate.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

/// Servers as their disks are found, for whoever starts a core without one.
namespace almenara::test {

[[nodiscard]] inline data_uuid disk_of(server_id id) {
    data_uuid::rep bytes{};
    bytes[0] = static_cast<std::byte>(id.value() & 0xffU);
    bytes[1] = static_cast<std::byte>(id.value() >> 8U);
    bytes[15] = std::byte{0xd1};
    return data_uuid{bytes};
}

[[nodiscard]] inline std::vector<std::string> addresses_of(server_id id) {
    return {fmt::format("server{}:7400", id)};
}

/// Voters 1 to `count`, as INIT makes them: what the members tell of themselves is not in it.
[[nodiscard]] inline replica::cluster_config cluster_of(std::size_t count) {
    replica::cluster_config config;
    for (std::size_t i = 1; i <= count; ++i) {
        const server_id id{static_cast<std::uint16_t>(i)};
        config.members.push_back({.id = id, .uuid = disk_of(id)});
    }
    return config;
}

/// A listed server whose disk is empty (B.12.3).
[[nodiscard]] inline replica::start_state empty_start(const replica::cluster_config& config,
                                                      server_id self) {
    replica::start_state start{.self = self,
                               .uuid = disk_of(self),
                               .incarnation = replica::incarnation{1},
                               .seed = self.value(),
                               .addresses = addresses_of(self)};
    for (const replica::member& member : config.members) {
        start.listed.push_back(member.id);
    }
    start.confirm = config.confirm;
    return start;
}

/// A member that has entry 1 and nothing else.
[[nodiscard]] inline replica::start_state first_start(const replica::cluster_config& config,
                                                      server_id self) {
    replica::start_state start = empty_start(config, self);
    const auto first = std::make_shared<const replica::entry>(replica::first_entry(config));
    start.meta.epoch = first->epoch;
    start.meta.cluster = replica::cluster_of_list(config);
    start.positions = {replica::point_of(*first)};
    start.recent = {first};
    start.configs = {first};
    return start;
}

} // namespace almenara::test
