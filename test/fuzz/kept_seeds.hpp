#pragma once

#include "base/bytes.hpp"

#include <map>
#include <string>

namespace almenara::fuzz {

/// Files of a client for fuzz-kept, by their place in the corpus.
[[nodiscard]] std::map<std::string, base::byte_vector> kept_seeds();

} // namespace almenara::fuzz
