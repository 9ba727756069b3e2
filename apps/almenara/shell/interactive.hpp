#pragma once

#include "exit_code.hpp"
#include "shell/interpreter.hpp"
#include "shell/libedit_editor.hpp"

#include <boost/asio/awaitable.hpp>

namespace almenara::cli {

/// The shell at a terminal, until somebody leaves it. It hears the signals itself.
[[nodiscard]] boost::asio::awaitable<exit_code> run_interactive(terminal_ends ends,
                                                                const shell_settings& how);

} // namespace almenara::cli
