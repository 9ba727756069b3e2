#pragma once

#include "scripts/stage.hpp"
#include "scripts/words.hpp"

#include <functional>

namespace almenara::scripts {

using condition = std::function<bool()>;

/// What `expect` and `until` can ask; docs/testing.md lists them. Each may begin with `not`.
[[nodiscard]] condition read_condition(stage& on, words& said);

/// The server that is primary, has committed an entry of its own epoch, and knows of no later one.
[[nodiscard]] const server* ruling(const stage& on);

/// Whether every operation that was ever confirmed stands in this server's log.
[[nodiscard]] bool has_all_confirmed(const stage& on, const server& s);

} // namespace almenara::scripts
