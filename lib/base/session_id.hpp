#pragma once

#include "base/strong.hpp"

#include <array>
#include <cstddef>

namespace almenara {

/// The exactly-once context of a client (C.1): random, made by the primary that opened it.
using session_id = base::strong<struct session_id_tag, std::array<std::byte, 16>>;

} // namespace almenara
