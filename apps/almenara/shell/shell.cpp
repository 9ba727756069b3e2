#include "shell/shell.hpp"

#include "shell/interactive.hpp"
#include "shell/script.hpp"

#include <unistd.h>

namespace almenara::cli {

boost::asio::awaitable<exit_code> run_shell(console& out, const shell_settings& how) {
    const bool out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
    if (::isatty(STDIN_FILENO) != 1 || (!out_is_terminal && ::isatty(STDERR_FILENO) != 1)) {
        return run_script(STDIN_FILENO, out, how);
    }
    const terminal_ends ends{.in = STDIN_FILENO,
                             .out = STDOUT_FILENO,
                             .err = STDERR_FILENO,
                             .terminal = out_is_terminal ? STDOUT_FILENO : STDERR_FILENO};
    return run_interactive(ends, how);
}

} // namespace almenara::cli
