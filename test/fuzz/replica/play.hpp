#pragma once

#include "base/bytes.hpp"

namespace almenara::fuzz {

/// Plays an input of fuzz-replica to its end, and throws a violation if something did not hold.
void play_input(base::byte_view bytes);

} // namespace almenara::fuzz
