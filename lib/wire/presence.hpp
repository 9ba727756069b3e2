#pragma once

#include "base/session_ids.hpp"
#include "wire/beacon.hpp"
#include "wire/described.hpp"
#include "wire/message_list.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

/// C.2: what a primary tells its backups of the clients, so that each of them can announce the
/// next one. It travels on the servers' links, unlogged, and a server that does not know it skips
/// it.
namespace almenara::wire {

enum class presence_state : std::uint8_t {
    attached, ///< a connection of the device is attached for service at the primary
    gone,     ///< none is any more, or the device is not heard from that address
};
ALMENARA_DESCRIBE_ENUM(presence_state, attached, gone)

/// A device, and an address at which the primary proved that it hears.
struct device_presence {
    device_tag device;
    datagram_address address;
    presence_state state = presence_state::attached;
};
ALMENARA_DESCRIBE(device_presence, device, address, state)

struct presence {
    std::vector<device_presence> devices; ///< most_devices at most

    /// Of one message: far below what a control connection takes.
    static constexpr std::size_t most_devices = 4096;
};
ALMENARA_DESCRIBE(presence, devices)

using presence_messages = message_list<listed<presence, 0x0125>>;

} // namespace almenara::wire
