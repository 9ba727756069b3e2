#pragma once

#include <cstdint>

/// What fuzz-beacon makes of its bytes: steps, each a byte and what is said here behind it. Devices
/// and places are chosen among a few.
namespace almenara::fuzz {

enum class beacon_step : std::uint8_t {
    ask,       ///< device, place: a registration without a cookie
    come_back, ///< device, place: with the cookie that was sent to that place last
    replay,    ///< which, place: any datagram that was sent before, from there
    damage,    ///< which, place, offset, byte: the same with that byte
    bytes,     ///< place, count, bytes
    servers,   ///< device, place: a U_COORD or a U_REG_ACK with a good MAC
    rule,      ///< how many epochs later
    follow,    ///< how many epochs later
    resign,
    attach,   ///< device
    leave,    ///< device
    presence, ///< device, place, state
    wait,     ///< tenths of a second
    look,     ///< what is due, and a turn ends
    count_,
};

} // namespace almenara::fuzz
