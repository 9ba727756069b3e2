#pragma once

#include "console.hpp"
#include "exit_code.hpp"
#include "shell/interpreter.hpp"

#include <boost/asio/awaitable.hpp>

namespace almenara::cli {

/// Runs the lines of a descriptor: no prompt, no echo. It ends with the first command that fails,
/// or goes on with --keep-going; the exit code is the one of the first that failed. A signal ends
/// it.
[[nodiscard]] boost::asio::awaitable<exit_code> run_script(int descriptor,
                                                           console& out,
                                                           const shell_settings& how);

} // namespace almenara::cli
