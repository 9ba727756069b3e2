#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace almenara::scripts {

/// Switches one safety rule off, of lib/replica or lib/state. Throws script_error for a name that
/// is no rule.
void break_rule(std::string_view name);

[[nodiscard]] std::vector<std::string> all_rules();

} // namespace almenara::scripts
