#pragma once

#include "command_line.hpp"
#include "console.hpp"
#include "exit_code.hpp"

#include <span>
#include <string>

namespace almenara::cli {

/// The whole program but for the process around it: understands the arguments, runs the command
/// and gives what the process exits with. SIGINT and SIGTERM end it in good order, a second one at
/// once.
[[nodiscard]] exit_code run_program(std::span<const std::string> arguments,
                                    const environment& find,
                                    console& out);

} // namespace almenara::cli
