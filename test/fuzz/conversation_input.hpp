#pragma once

#include <cstdint>

/// What fuzz-conversation makes of its bytes; shared with the tool that writes its seeds: one byte
/// of options, then steps, each a byte and what is said here behind it.
namespace almenara::fuzz {

struct conversation_options {
    static constexpr std::uint8_t few = 1; ///< requests may wait, so that too many is soon
};

enum class conversation_step : std::uint8_t {
    message,    ///< its place in the list, number of the request: a whole one without content
    sample,     ///< place, number, seed: one with content
    begin,      ///< place, count: only the first bytes of one
    bytes,      ///< count, bytes: whatever they are
    frame,      ///< type (low byte), flags, count, bytes: a whole frame around them
    flood,      ///< KiB, byte: that much of it
    wait,       ///< quarters of a second, in which each deadline is met
    sleep,      ///< quarters of a second, in which nobody looks at the deadlines
    look,       ///< the deadlines are looked at, due or not
    ask_ping,   ///< quarters of a second for the answer
    ask_status, ///< the same
    leave,      ///< the client gives up
    cut,        ///< 0: in good order; else the connection fails
    ask_other,  ///< which, quarters of a second for the answer
    count_,
};

} // namespace almenara::fuzz
