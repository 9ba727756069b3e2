#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace almenara::server {

/// What the machine has, as of now.
struct resources {
    std::size_t descriptors = 0;        ///< that the process may have open
    std::size_t files_of_state = 0;     ///< that the database has open
    std::uint64_t memory_available = 0; ///< bytes, of the machine or of the service's own limit
    duration loop_lag{0};               ///< 99th percentile of the reactor's turns
};

/// How many clients there is room for, and what sets the bound: words for people.
struct client_room {
    std::size_t clients = 0;
    std::string_view bound_by;
};

/// Descriptors that are not for clients: the database, the log, links to servers, administration,
/// the sockets that listen. The database has more files than this allows for when the state is
/// above 13 GB; a merge makes new ones before it removes the old ones.
[[nodiscard]] std::size_t reserved_descriptors(std::size_t files_of_state);

/// A client may cost this: what may wait for it before it is not read any more, and the buffers of
/// the kernel.
inline constexpr std::uint64_t memory_per_client = 320U * 1024;

/// Later than this, about 67 ms, the server is busy enough with those whom it has. A step of
/// loop_lag's histogram, so that it means what it says.
inline constexpr duration largest_loop_lag{std::int64_t{1} << 26};

/// Connections before their hello that `descriptors` leave room for.
[[nodiscard]] std::size_t door_for(std::size_t descriptors);

/// `--max-clients N|auto` (decision 003). `inside` is how many clients there are; the answer may be
/// less, and nobody is dropped for it. With nobody inside there is always room for one: a server
/// that refuses everybody helps nobody.
[[nodiscard]] client_room room_for_clients(std::optional<std::size_t> fixed,
                                           const resources& now,
                                           std::size_t inside);

} // namespace almenara::server
