#pragma once

#include "base/ids.hpp"
#include "wire/described.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What servers are to each other and to clients, and where they are found.
namespace almenara::wire {

/// What a server is doing, as `status` shows it.
enum class server_role : std::uint8_t {
    boot, ///< belongs to no cluster yet
    primary,
    backup,
    learner,
    prospect,
    candidate,
    witness,
};
ALMENARA_DESCRIBE_ENUM(server_role, boot, primary, backup, learner, prospect, candidate, witness)

/// Where to find a server.
struct member_address {
    server_id id;
    std::vector<std::string> addresses; ///< host:port
};
ALMENARA_DESCRIBE(member_address, id, addresses)

/// One member as another one sees it.
struct member_state {
    server_id id;
    std::vector<std::string> addresses;
    bool up = false;
    server_role role = server_role::boot;
};
ALMENARA_DESCRIBE(member_state, id, addresses, up, role)

} // namespace almenara::wire
