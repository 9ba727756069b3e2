#pragma once

#include "command_table.hpp"

#include <string>
#include <string_view>

namespace almenara::cli {

extern const command ping_command;
extern const command status_command;
extern const command help_command;
extern const command completion_command;

/// The help of the whole program, which begins with examples.
[[nodiscard]] std::string program_help();
[[nodiscard]] std::string command_help(const command& about);

/// The script for bash, made from the table.
[[nodiscard]] std::string bash_completion();

} // namespace almenara::cli
