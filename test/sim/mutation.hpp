#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace almenara::sim {

/// Switches a rule off for all that this process simulates from now on. False if there is none of
/// that name.
[[nodiscard]] bool break_rule(std::string_view name);

/// B.1: `meta` is rewritten at a start. The disk of the simulator does that, so it asks here.
[[nodiscard]] bool meta_is_rewritten();

[[nodiscard]] std::vector<std::string> rule_names();

} // namespace almenara::sim
