#pragma once

#include <cstdint>

namespace almenara::net {

/// What becomes of what is printed to a stream that the caller has closed.
enum class closed_output : std::uint8_t {
    fails,    ///< as if it were still closed: for programs that are run for what they print
    vanishes, ///< for programs that serve, whoever reads what they say
};

/// First thing in main(): a standard stream that the caller has closed must not become the number
/// of a file or a socket, or what is printed would be written there. Leaves with 1 if it cannot.
void hold_standard_streams(closed_output output);

} // namespace almenara::net
