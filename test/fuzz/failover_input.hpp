#pragma once

#include <cstdint>

/// What fuzz-failover makes of its bytes: steps, each a byte and what is said here behind it. A
/// link is chosen among those that are there.
namespace almenara::fuzz {

enum class failover_step : std::uint8_t {
    write,      ///< quarters of a second, bytes
    read,       ///< quarters of a second
    administer, ///< the same
    close,      ///< the same
    log_in,     ///< the same
    connect,    ///< link: the dial comes through
    refuse,     ///< link: it does not
    answer,     ///< link, epoch, code: its oldest request gets the reply that belongs to it
    sample,     ///< link, place in the list, number of the request, seed: any message
    alive,      ///< link: bytes that are no message yet
    broken,     ///< link: bytes that make no sense
    cut,        ///< link
    wait,       ///< quarters of a second
    leave,
    announce, ///< primary, epoch, what is wrong with it: a datagram comes (C.2)
    count_,
};

} // namespace almenara::fuzz
