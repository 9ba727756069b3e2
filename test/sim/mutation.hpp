#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace almenara::sim {

/// B.1: `meta` is rewritten at a start. The disk of the simulator does that, so the plan of a run
/// says whether it does.
inline constexpr std::string_view rule_of_the_disk = "meta_rewritten";

/// Switches a rule of the code off for all that this process simulates from now on. False if there
/// is none of that name.
[[nodiscard]] bool break_rule(std::string_view name);

[[nodiscard]] std::vector<std::string> rule_names();

} // namespace almenara::sim
