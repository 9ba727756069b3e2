#pragma once

#include "base/time.hpp"

namespace almenara::net {

/// The clocks of this machine, read only here: everybody else is handed the time.
[[nodiscard]] instant monotonic_now();
[[nodiscard]] wall_time wall_now();

/// The same moment as Asio's timers count it.
[[nodiscard]] std::chrono::steady_clock::time_point timer_point(instant at);

} // namespace almenara::net
