#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace almenara::sim {

/// Switches a rule of the code off for all that this process simulates from now on. False if there
/// is none of that name.
[[nodiscard]] bool break_rule(std::string_view name);

[[nodiscard]] std::vector<std::string> rule_names();

} // namespace almenara::sim
