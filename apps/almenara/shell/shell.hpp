#pragma once

#include "console.hpp"
#include "exit_code.hpp"
#include "shell/interpreter.hpp"

#include <boost/asio/awaitable.hpp>

namespace almenara::cli {

/// The shell, until it is left: at a terminal with everything that makes typing easy, else one that
/// runs the lines of the standard input. It hears SIGINT, SIGTERM and SIGHUP itself.
[[nodiscard]] boost::asio::awaitable<exit_code> run_shell(console& out, const shell_settings& how);

} // namespace almenara::cli
