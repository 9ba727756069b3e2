#pragma once

#include "wire/described.hpp"

#include <cstdint>

/// What fuzz-replica makes of its bytes; shared with the tool that writes its seeds: one byte of
/// options, then steps, each a byte and what is said here behind it. A server, a way or a member is
/// chosen by a byte, modulo how many there are.
namespace almenara::fuzz {

struct replica_options {
    static constexpr std::uint8_t empty = 1;   ///< disks are empty: INIT comes first
    static constexpr std::uint8_t loose = 2;   ///< frames may be lost, doubled and overtaken
    static constexpr std::uint8_t lying = 4;   ///< members may say anything
    static constexpr std::uint8_t small = 8;   ///< windows, frames and caches are tiny
    static constexpr std::uint8_t policy = 16; ///< times 0 to 2: how much confirms
    static constexpr std::uint8_t heals = 64;  ///< in the end all is well, and somebody must rule
};

enum class replica_step : std::uint8_t {
    run,         ///< 10 ms: all goes well for so long
    wait,        ///< ms: nobody does anything
    tick,        ///< server, gap in 10 ms: it looks at its timers
    propose,     ///< server, count, 0: the batch is cut later
    deliver,     ///< way, count: that many frames arrive
    sync_log,    ///< server: its oldest write is done
    sync_meta,   ///< server
    answer,      ///< server: its disk has read, its state has applied
    dial,        ///< server, 0: refused
    read,        ///< server: something is to be read
    reset,       ///< connection, bits: see reset_bits
    hold,        ///< from, to: frames of that direction wait, or no longer do
    crash,       ///< server, writes that reach the disk, bits: see crash_bits
    crash_later, ///< server, fields of its next outputs that are executed: see crash_later_bits
    restart,     ///< server, bits: see restart_bits
    rot,         ///< server, index, 0: nobody knows where the log ended
    wipe,        ///< server: it gets an empty disk
    fail_sync,   ///< server: its next sync fails
    transfer,    ///< server, target
    terminate,   ///< server
    stranger,    ///< server, who, then a forgery: somebody else dials it
    impostor,    ///< server, who, then a forgery: it has dialled somebody else
    forge,       ///< way, then a forgery; only when members may lie
    flood,       ///< way, count, then a forgery; only when members may lie
    lose,        ///< way, what: 0 lost, 1 doubled, else overtaken; only when loose
    count_,
};
ALMENARA_DESCRIBE_ENUM(replica_step,
                       run,
                       wait,
                       tick,
                       propose,
                       deliver,
                       sync_log,
                       sync_meta,
                       answer,
                       dial,
                       read,
                       reset,
                       hold,
                       crash,
                       crash_later,
                       restart,
                       rot,
                       wipe,
                       fail_sync,
                       transfer,
                       terminate,
                       stranger,
                       impostor,
                       forge,
                       flood,
                       lose,
                       count_)

/// Behind a step `reset`.
struct reset_bits {
    static constexpr std::uint8_t dialler_hears = 1;
    static constexpr std::uint8_t acceptor_hears = 2;
    static constexpr std::uint8_t frames_arrive = 4; ///< what is under way comes first
};

/// Behind a step `crash`.
struct crash_bits {
    static constexpr std::uint8_t meta_arrives = 1;
    static constexpr std::uint8_t power = 2; ///< nobody tells the peers
};

/// Behind a step `crash_later`: how many fields, and these. The disk may have begun what it was
/// handed, or not.
struct crash_later_bits {
    static constexpr std::uint8_t job = 16; ///< times 0 to 3: writes of the log that arrive
    static constexpr std::uint8_t meta_arrives = 64;
};

/// Behind a step `restart`.
struct restart_bits {
    static constexpr std::uint8_t unclean = 1;
    static constexpr std::uint8_t state_behind = 2; ///< the state was flushed long ago
    static constexpr std::uint8_t few_entries = 4;  ///< only what is not applied is at hand
};

} // namespace almenara::fuzz
