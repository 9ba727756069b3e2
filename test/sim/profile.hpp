#pragma once

#include "base/time.hpp"
#include "sim/scene.hpp"
#include "wire/described.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace almenara::sim {

/// What the nemesis can do.
enum class fault : std::uint8_t {
    kill,        ///< -9
    kill_inside, ///< between two things of an output
    power,       ///< one machine
    power_inside,
    power_all, ///< within a moment
    kill_all,
    pause,       ///< SIGSTOP for up to 5 s
    lag,         ///< the loop comes too late, again and again (D.3)
    halves,      ///< partition
    isolate,     ///< one alone
    bridge,      ///< two halves, and one that reaches both
    constrained, ///< the one who reaches all has an old log, the newest is alone (E6)
    chain,       ///< each reaches its neighbours only
    one_way,     ///< a direction between two servers
    deaf,        ///< one hears nobody
    mute,        ///< nobody hears one
    clog,        ///< a link holds everything for a while
    swizzle,     ///< links stop one by one, and go on in another order
    reset,       ///< one end of a connection is told that it is over
    swallow,     ///< a middlebox forgot a connection
    flap,        ///< a link breaks again and again
    rot,         ///< a log entry, a segment's header or a slot of `meta` cannot be read any more
    misdirect,   ///< a write goes elsewhere, and is called synced
    slow_disk,   ///< up to 3 s for a sync
    sync_error,
    wall_jump, ///< an hour
    terminate, ///< SIGTERM
    transfer,  ///< an operator's wish
    lose_disk, ///< with all that was on it
};
ALMENARA_DESCRIBE_ENUM(fault,
                       kill,
                       kill_inside,
                       power,
                       power_inside,
                       power_all,
                       kill_all,
                       pause,
                       lag,
                       halves,
                       isolate,
                       bridge,
                       constrained,
                       chain,
                       one_way,
                       deaf,
                       mute,
                       clog,
                       swizzle,
                       reset,
                       swallow,
                       flap,
                       rot,
                       misdirect,
                       slow_disk,
                       sync_error,
                       wall_jump,
                       terminate,
                       transfer,
                       lose_disk)
inline constexpr std::size_t faults = static_cast<std::size_t>(fault::lose_disk) + 1;

/// What goes wrong in a run, and how often.
struct profile {
    std::string_view name;
    std::string_view meaning;
    sim::habits habits{};
    /// Mean time between two faults of a kind; zero: never.
    std::array<duration, faults> every{};
    /// B.10: nothing ends an office sooner, but for the first few.
    std::optional<duration> office_lasts{};
    /// Clients are killed, too, and go on with what they have kept (C.3).
    std::optional<duration> clients_die{};

    [[nodiscard]] duration& operator[](fault what) { return every[static_cast<std::size_t>(what)]; }
};

/// By name; nothing if there is none.
[[nodiscard]] std::optional<profile> find_profile(std::string_view name);
[[nodiscard]] const std::vector<profile>& all_profiles();

} // namespace almenara::sim
