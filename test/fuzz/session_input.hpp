#pragma once

#include <cstdint>

/// What fuzz-session makes of its bytes; shared with the tool that writes its seeds: one byte of
/// options, then steps, each a byte and what is said here behind it.
namespace almenara::fuzz {

struct session_options {
    static constexpr std::uint8_t administrator = 1; ///< comes through admin.sock
    static constexpr std::uint8_t full = 2;          ///< the server has no room
    static constexpr std::uint8_t waits = 4;         ///< has to wait for its place
};

enum class session_step : std::uint8_t {
    message,      ///< its place in the list: a whole one without content
    begin,        ///< place, count: only the first bytes of one
    bytes,        ///< count, bytes: whatever they are
    frame,        ///< type (low byte), flags, count, bytes: a whole frame around them
    wait,         ///< quarters of a second
    stop_reading, ///< what the server says piles up
    read,         ///< KiB: takes that much of it
    call,         ///< its place is free
    hurry,        ///< the door is crowded
    stop,         ///< the server stops
    flood,        ///< KiB, byte: that much of it
    numbered,     ///< place, number: a message with that number of its request
    answer,       ///< kind: the oldest request is answered in that way
    dismiss,      ///< the connection speaks for its session no more
    end_sending,  ///< the client will say no more
    count_,
};

} // namespace almenara::fuzz
