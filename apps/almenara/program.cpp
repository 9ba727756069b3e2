#include "program.hpp"

#include "base/version.hpp"
#include "commands/commands.hpp"
#include "net/signal_watch.hpp"
#include "net/spawn.hpp"
#include "runtime.hpp"
#include "shell/shell.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

/// The first signal ends the command in good order; a second one has its usual effect.
class interrupt_watch {
  public:
    interrupt_watch(const asio::any_io_executor& executor, runtime& here)
        : signals_(executor, {SIGINT, SIGTERM}, [this, &here](int) {
              signals_.let_go();
              here.interrupt();
          }) {}

  private:
    net::signal_watch signals_;
};

asio::awaitable<void> run_here(const invocation& asked, console& out, exit_code& exit) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    if (asked.what == nullptr) {
        const shell_settings how{.start = asked};
        exit = co_await run_shell(out, how);
        co_return;
    }
    runtime here{executor, out, asked};
    if (asked.what->is_shell) {
        exit = co_await asked.what->run(here, asked);
        co_return;
    }
    const interrupt_watch watch{executor, here};
    exit = co_await asked.what->run(here, asked);
}

exit_code run_command(const invocation& asked, console& out) {
    exit_code exit = exit_code::failed;
    asio::io_context context;
    const std::string name{asked.what == nullptr ? std::string_view{"shell"} : asked.what->name};
    net::spawn(context.get_executor(), name, run_here(asked, out, exit));
    context.run();
    return exit;
}

/// What could not be printed was not done, unless the reader had seen enough.
exit_code judge_output(exit_code exit, console& out) {
    if (!out.broken() || out.broken() == std::errc::broken_pipe) {
        return exit;
    }
    out.say(fmt::format("almenara: writing to the standard output: {}. Make room, or write to "
                        "another place.",
                        out.broken().message()));
    return exit == exit_code::ok ? exit_code::failed : exit;
}

} // namespace

exit_code run_program(std::span<const std::string> arguments,
                      const environment& find,
                      console& out) {
    const auto asked = parse_command_line(arguments, find);
    if (!asked) {
        out.complain(asked.error(), wants_json(arguments, find));
        return asked.error().exit;
    }
    if (asked->version) {
        out.print(fmt::format("almenara {}\n", version));
        return judge_output(exit_code::ok, out);
    }
    if (asked->help) {
        out.print(help_for(*asked));
        return judge_output(exit_code::ok, out);
    }
    return judge_output(run_command(*asked, out), out);
}

} // namespace almenara::cli
