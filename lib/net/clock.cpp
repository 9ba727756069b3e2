#include "net/clock.hpp"

namespace almenara::net {

instant monotonic_now() {
    return instant{std::chrono::steady_clock::now().time_since_epoch()};
}

wall_time wall_now() {
    return wall_time{std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch())};
}

std::chrono::steady_clock::time_point timer_point(instant at) {
    return std::chrono::steady_clock::time_point{at.since_origin()};
}

} // namespace almenara::net
