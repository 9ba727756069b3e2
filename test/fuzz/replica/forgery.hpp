#pragma once

#include "fuzz/replica/world.hpp"
#include "fuzz/steps.hpp"
#include "replica/messages.hpp"

/// What nobody who keeps to the protocol would say.
namespace almenara::fuzz {

/// Behind a step: which message or, beyond the list, a changed copy of what was said last; a seed;
/// how full and whether its ids, epochs and positions look like real ones; the frame's epoch.
/// The last number but one of the list is another history: an APPEND as a primary of that epoch
/// would send it on that way, if there is one, with one good entry behind what the receiver has.
[[nodiscard]] frame_on_its_way forge(numbers& input, const world& around, const way* on);

/// How somebody who is no member of the cluster, or a process of one that nobody knows, presents
/// itself.
enum class stranger : std::uint8_t {
    unknown_server,
    other_cluster,
    newer_protocol,
    older_protocol,
    other_disk,
    mirror,        ///< the very server that it speaks to
    mute,          ///< says no HELLO
    other_process, ///< a member with its disk, in another incarnation
    count_,
};

/// Bits beside the stranger's name.
struct stranger_bits {
    static constexpr std::uint8_t bulk = 32;
    static constexpr std::uint8_t stays = 64;
    static constexpr std::uint8_t insists = 128; ///< says the same again and again
};

/// The greeting of such a one to that server; nothing if it says none. An empty cluster does not
/// know its members' disks yet, so there only ids tell.
[[nodiscard]] std::optional<replica::greeting> greeting_of(stranger who,
                                                           std::uint8_t bits,
                                                           const world& around,
                                                           std::size_t to);

} // namespace almenara::fuzz
