#pragma once

#include "base/error.hpp"
#include "base/flags.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace almenara::client {

/// By which of its ways a client may find a new primary, and by which it has found one (C.2, C.3).
enum class source : std::uint8_t {
    beacon = 1,     ///< a datagram named it, and it said so itself
    redirect = 2,   ///< another server sent on what it was asked
    standby = 4,    ///< the backup where this client has a place already
    members = 8,    ///< any server that it knows: asked, at the door or at a change
    directory = 16, ///< a name that the person gave, which leads to it by now
};
using ways = base::flags<source>;

inline constexpr std::array<source, 5> all_sources{
    source::beacon, source::redirect, source::standby, source::members, source::directory};
inline constexpr ways all_ways{source::beacon, source::redirect, source::standby, source::members,
                               source::directory};
/// Of a client that asks something and leaves: it would hardly have its place before it is gone.
inline constexpr ways all_ways_in_passing{source::beacon, source::redirect, source::members,
                                          source::directory};

[[nodiscard]] std::string_view to_string(source told_by);
[[nodiscard]] std::optional<source> find_source(std::string_view name);

/// `beacon,redirect`: at least one.
[[nodiscard]] result<ways> parse_ways(std::string_view text);

} // namespace almenara::client
