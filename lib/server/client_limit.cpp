#include "server/client_limit.hpp"

#include <algorithm>

namespace almenara::server {

namespace {

/// The smaller bound; the one that was there first wins a tie.
void tighten(client_room& room, std::uint64_t clients, std::string_view bound_by) {
    if (clients < room.clients) {
        room = {static_cast<std::size_t>(clients), bound_by};
    }
}

std::size_t by_descriptors(const resources& now) {
    const std::size_t taken = reserved_descriptors(now.files_of_state) + door_for(now.descriptors);
    return now.descriptors > taken ? now.descriptors - taken : 0;
}

} // namespace

std::size_t reserved_descriptors(std::size_t files_of_state) {
    constexpr std::size_t all_others = 128;
    constexpr std::size_t usual_files = 256;
    return all_others + std::max(usual_files, files_of_state + files_of_state / 4);
}

std::size_t door_for(std::size_t descriptors) {
    constexpr std::size_t largest_door = 4096;
    constexpr std::size_t smallest_door = 16;
    return std::clamp(descriptors / 4, smallest_door, largest_door);
}

client_room room_for_clients(std::optional<std::size_t> fixed,
                             const resources& now,
                             std::size_t inside) {
    client_room room{by_descriptors(now), "descriptors"};
    if (fixed) {
        tighten(room, *fixed, "--max-clients");
    } else {
        // Half of what is free stays free for bursts and for everybody else on the machine.
        tighten(room, inside + now.memory_available / 2 / memory_per_client, "memory");
        if (now.loop_lag > largest_loop_lag) {
            tighten(room, inside, "load");
        }
    }
    room.clients = std::max<std::size_t>(room.clients, 1);
    return room;
}

} // namespace almenara::server
