#pragma once

#include <cstddef>

namespace almenara::wire {

/// B.13: requests of a connection that a server has not answered yet; more are BUSY. A client keeps
/// below it, for what comes back has to wait before it is sent again.
inline constexpr std::size_t most_unanswered_requests = 256;

} // namespace almenara::wire
