#pragma once

#include "base/bytes.hpp"

#include <map>
#include <string>

namespace almenara::fuzz {

/// Stories for fuzz-state, by their place in the corpus.
[[nodiscard]] std::map<std::string, base::byte_vector> state_seeds();

} // namespace almenara::fuzz
