#pragma once

#include "base/bytes.hpp"

#include <map>
#include <string>

namespace almenara::fuzz {

/// Stories for fuzz-replica, by their place in the corpus.
[[nodiscard]] std::map<std::string, base::byte_vector> replica_seeds();

} // namespace almenara::fuzz
