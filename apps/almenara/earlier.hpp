#pragma once

#include "base/bytes.hpp"
#include "client/failover_output.hpp"

#include <string>

namespace almenara::cli {

/// What an operation does, in the words of a command: `kv put colour`.
[[nodiscard]] std::string words_of(base::byte_view operation);

/// `an operation of an earlier run was not answered (kv put colour): sent again, done: index 12`.
[[nodiscard]] std::string text_about(const client::resumed& what);

} // namespace almenara::cli
