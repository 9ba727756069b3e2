#include "client/api.hpp"
#include "commands/commands.hpp"
#include "demo/background_load.hpp"
#include "demo/demo_commands.hpp"
#include "demo/local_servers.hpp"
#include "demo/place.hpp"
#include "net/clock.hpp"
#include "net/signal_watch.hpp"
#include "runtime.hpp"
#include "shell/shell.hpp"
#include "wire/user_name.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

constexpr std::uint64_t usual_servers = 3;
constexpr std::uint16_t usual_port = 7401;
constexpr std::chrono::seconds longest_start{15};

complaint failed(const error& why) {
    return complaint{exit_code::failed, why.code, "demo", why.message(), {}};
}

/// What was asked of the demo, understood.
struct demo_wishes {
    std::size_t servers = 0;
    std::uint16_t port = 0;
};

std::optional<std::string> directory_of(const invocation& asked) {
    const auto found = asked.options.find("dir");
    return found == asked.options.end() ? std::nullopt : std::optional{found->second};
}

/// A cluster keeps its size: with another one some servers would belong to nothing.
outcome<std::uint64_t> servers_of(const invocation& asked) {
    const auto directory = directory_of(asked);
    const std::size_t there = directory ? servers_in(*directory) : 0;
    const std::uint64_t servers =
        asked.count("servers").value_or(there > 0 ? there : usual_servers);
    if (there > 0 && servers != there) {
        return complaint{exit_code::conflict, errc::conflict, "--servers",
                         fmt::format("the directory '{}' was used for {} server{}", *directory,
                                     there, there == 1 ? "" : "s"),
                         fmt::format("Give --servers {}, or another --dir.", there)};
    }
    return servers;
}

outcome<demo_wishes> wishes_of(const invocation& asked) {
    if (asked.servers_are_typed) {
        return usage_complaint("--server", "a demo has servers of its own, and asks no others",
                               "Leave it out, or leave out 'demo' for a shell on that server.");
    }
    const outcome<std::uint64_t> wanted = servers_of(asked);
    if (!wanted) {
        return wanted.error();
    }
    const std::uint64_t servers = *wanted;
    const bool is_chosen = asked.has("port");
    const std::uint64_t port = asked.count("port").value_or(usual_port);
    if (port + servers - 1 > std::numeric_limits<std::uint16_t>::max()) {
        return usage_complaint("--port", "it is too high for so many servers",
                               fmt::format("Write '--port {}'.", usual_port));
    }
    const auto free = free_ports(static_cast<std::uint16_t>(port), servers, is_chosen);
    if (!free) {
        return complaint{exit_code::failed, errc::unavailable, "--port",
                         fmt::format("the ports from {} on are taken", port),
                         "Name the first of some that are free with --port."};
    }
    return demo_wishes{.servers = servers, .port = *free};
}

/// Three servers and a shell, from the start to the end of the last of them.
class demo {
  public:
    demo(asio::any_io_executor executor, runtime& here, const demo_wishes& wanted, demo_place place)
        : executor_(std::move(executor)),
          here_(here),
          place_(std::move(place)),
          servers_(executor_,
                   {.count = wanted.servers,
                    .first_port = wanted.port,
                    .directory = place_.directory(),
                    .program = server_program()},
                   [this](server_id which, child_process::end how) { ended(which, how); }),
          start_(shell_start()),
          client_(executor_, patient(client_options(start_, client::all_ways, here_.out()))),
          load_(executor_, client_),
          commands_(executor_, servers_, load_) {}

    [[nodiscard]] asio::awaitable<exit_code> run() {
        const instant began = net::monotonic_now();
        std::optional<complaint> why = co_await start();
        exit_code exit = exit_code::ok;
        if (!why && !is_interrupted_) {
            greet(net::monotonic_now() - began);
            stage_ = stage::shell;
            const shell_settings how{
                .start = start_, .extra = &commands_, .comes_in_at_once = true};
            exit = co_await run_shell(here_.out(), how);
            is_interrupted_ = exit == exit_code::interrupted;
        }
        stage_ = stage::end;
        co_await stop();
        if (is_interrupted_ && exit == exit_code::ok) {
            exit = exit_code::interrupted;
        } else if (why) {
            here_.out().complain(*why, here_.asked().json);
            exit = why->exit;
        }
        co_return exit;
    }

    /// The shell has its own way of ending. A further signal waits for nobody.
    void interrupt() {
        if (stage_ == stage::shell) {
            return;
        }
        if (std::exchange(is_interrupted_, true)) {
            servers_.kill_all();
        }
        servers_.give_up_start();
        client_.give_up();
    }

  private:
    enum class stage : std::uint8_t { start, shell, end };

    /// As a person would begin a shell on these servers.
    [[nodiscard]] invocation shell_start() const {
        invocation start = here_.asked();
        start.what = nullptr;
        start.servers.clear();
        for (const std::string& each : servers_.addresses()) {
            start.servers.push_back(client::parse_server_address(each).value());
        }
        start.plaintext = true;
        start.globals.insert_or_assign("plaintext", "yes");
        if (!start.globals.contains("user")) {
            start.user = wire::administrators_name; // It is the person's own cluster.
            start.globals.emplace("user", start.user);
        }
        start.globals.erase("server");
        if (start.state_directory) {
            start.state_directory = place_.directory() + "/client"; // It goes with the cluster.
            start.state_is_chosen = true;
        }
        return start;
    }

    /// The servers do not listen yet.
    [[nodiscard]] static client::api_options patient(client::api_options options) {
        options.how.must_find_somebody = false;
        return options;
    }

    [[nodiscard]] asio::awaitable<std::optional<complaint>> start() {
        std::optional<complaint> why;
        const result<void> started = co_await servers_.start_all();
        if (is_interrupted_) {
            co_return why;
        }
        if (!started) {
            why = failed(started.error());
            co_return why;
        }
        const client::answer how = co_await client_.log_in(net::monotonic_now() + longest_start);
        if (unexpected_) {
            why = *unexpected_;
        } else if (how.code != wire::result_code::ok && !is_interrupted_) {
            why = complaint_about("demo", how, longest_start);
        }
        co_return why;
    }

    void greet(duration took) const {
        const std::string where = servers_.ids().size() == 1
                                      ? servers_.addresses().front()
                                      : fmt::format("{} to {}", servers_.addresses().front(),
                                                    servers_.addresses().back());
        const double seconds = std::chrono::duration<double>{took}.count();
        here_.out().say(fmt::format("{} server{} at {}, files in {} ({:.1f} s)",
                                    servers_.ids().size(), servers_.ids().size() == 1 ? "" : "s",
                                    where, place_.directory(), seconds));
        if (here_.out().out_is_terminal()) {
            here_.out().say("Try 'status', 'kv put colour blue', 'busy on', 'kill primary', 'busy "
                            "off'. 'help' shows more, 'exit' stops everything.");
        }
    }

    [[nodiscard]] asio::awaitable<void> stop() {
        if (load_.is_running()) {
            client_.give_up();
            co_await load_.stop();
        }
        co_await client_.close();
        co_await servers_.stop_all();
        if (place_.is_kept()) {
            here_.out().say(fmt::format("the servers' files are kept in {}", place_.directory()));
        }
    }

    [[nodiscard]] complaint complaint_about_end(server_id which, const std::string& what) const {
        const std::string why = last_line(servers_.said(which));
        const bool has_no_room = why.empty() && is_full(place_.directory());
        const std::string said = has_no_room   ? ", and there is no room for what it said"
                                 : why.empty() ? ", and said nothing"
                                               : fmt::format(". It said: {}", why);
        return complaint{exit_code::failed, errc::unavailable, "demo", what + said,
                         has_no_room ? fmt::format("Make room where '{}' is, or give another place "
                                                   "with --dir.",
                                                   place_.directory())
                                     : advice_on(which, why)};
    }

    [[nodiscard]] std::string advice_on(server_id which, const std::string& why) const {
        const std::string taken = std::make_error_code(std::errc::address_in_use).message();
        if (why.find(taken) != std::string::npos) {
            return "Name other ports with --port.";
        }
        return place_.is_kept() ? fmt::format("See '{}'.", servers_.log_file(which))
                                : std::string{"With --keep its files stay, and all that it said."};
    }

    void ended(server_id which, child_process::end how) {
        const std::string what = fmt::format("server {}: {}", which, to_string(how));
        if (stage_ == stage::start && !unexpected_) {
            unexpected_ = complaint_about_end(which, what);
            client_.give_up(); // Nobody waits for the others.
        } else if (stage_ == stage::shell) {
            commands_.say(fmt::format("{}, see {}", what, servers_.log_file(which)));
        }
    }

    asio::any_io_executor executor_;
    runtime& here_;
    demo_place place_;
    local_servers servers_;
    invocation start_;
    client::api client_;
    background_load load_;
    demo_commands commands_;
    std::optional<complaint> unexpected_; ///< a server ended before anybody was served
    stage stage_ = stage::start;
    bool is_interrupted_ = false;
};

asio::awaitable<exit_code> run(runtime& here, const invocation& asked) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const outcome<demo_wishes> wanted = wishes_of(asked);
    if (!wanted) {
        here.out().complain(wanted.error(), asked.json);
        co_return wanted.error().exit;
    }
    demo* opened = nullptr;
    // From before the directory is there until it is gone: a signal that had its usual effect would
    // leave it behind. It is told of while the demo runs, as nothing else waits.
    const net::signal_watch signals{
        executor, {SIGINT, SIGTERM, SIGHUP, SIGQUIT}, [&opened](int) { opened->interrupt(); }};
    auto place = demo_place::open(directory_of(asked), asked.has("keep"));
    if (!place) {
        const complaint why = failed(place.error());
        here.out().complain(why, asked.json);
        co_return why.exit;
    }
    demo whole{executor, here, *wanted, *std::move(place)};
    opened = &whole;
    co_return co_await whole.run();
}

constexpr std::array<example, 3> examples{{
    {"almenara demo", "three servers and a shell on them"},
    {"almenara demo --servers 5 --keep", "five, and their files stay"},
    {"printf 'kv put a 1\\nkill primary\\nkv get a\\n' | almenara demo", "as a script"},
}};

constexpr std::array<option, 5> options{{
    {.name = "servers",
     .kind = value_kind::count,
     .value_name = "N",
     .help = "how many; without it as many as DIR has, else 3",
     .most = most_servers},
    {.name = "dir",
     .kind = value_kind::directory,
     .value_name = "DIR",
     .help = "where their files are, and stay; without it a temporary directory"},
    {.name = "port",
     .kind = value_kind::count,
     .value_name = "PORT",
     .help = "of the first of them; without it the first that are free from 7401 on",
     .most = std::numeric_limits<std::uint16_t>::max()},
    {.name = "keep", .help = "the files stay, also those in a temporary directory"},
    {.name = "keep-going", .help = "as a script: go on behind a command that failed"},
}};

} // namespace

const command demo_command{
    .name = "demo",
    .words = "",
    .summary = "Start servers on this machine, and a shell on them.",
    .examples = examples,
    .options = options,
    .run = run,
    .is_shell = true,
};

} // namespace almenara::cli
