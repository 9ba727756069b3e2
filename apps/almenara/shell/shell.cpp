#include "shell/shell.hpp"

#include "shell/script.hpp"

#include <unistd.h>

namespace almenara::cli {

boost::asio::awaitable<exit_code> run_shell(console& out, const shell_settings& how) {
    return run_script(STDIN_FILENO, out, how);
}

} // namespace almenara::cli
