#include "commands/commands.hpp"
#include "net/clock.hpp"
#include "runtime.hpp"
#include "status_text.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;
using client::failure_kind;

namespace {

std::string printed(const wire::status_reply& status, bool json, const table_look& look) {
    return json ? status_json(status) : status_text(status, look);
}

} // namespace

asio::awaitable<exit_code> show_status(runtime& here, status_printer print) {
    runtime::link link{here};
    const auto opened = co_await link.open();
    if (!opened) {
        co_return here.fail(opened.error());
    }
    const auto status = co_await link->status(here.deadline());
    if (!status) {
        co_return here.fail(status.error());
    }
    here.out().print(print(*status, here.asked().json, here.look()));
    co_await link->close();
    co_return here.done();
}

namespace {

/// Whether somebody who watches would want to go on watching: the server may come back.
bool may_pass(const client::failure& why) {
    switch (why.kind) {
    case failure_kind::refused:
    case failure_kind::unreachable:
    case failure_kind::timed_out:
    case failure_kind::closed:
    case failure_kind::busy:
        return true;
    case failure_kind::rejected:
        return why.reject != wire::reject_code::denied;
    case failure_kind::declined:
        return why.refusal == wire::result_code::busy;
    default:
        return false;
    }
}

/// Shows the state again and again: on a terminal in place, else one behind the other. Bad news is
/// told when it is news.
class watcher {
  public:
    watcher(runtime& here, duration interval) : here_(here), interval_(interval) {}

    void show(const wire::status_reply& status) {
        told_.clear();
        if (here_.asked().json) {
            here_.out().print(status_json(status));
        } else {
            redraw(status_text(status, here_.look()));
        }
    }

    /// False: there is no point in going on.
    [[nodiscard]] bool show(const client::failure& why) {
        const auto& asked = here_.asked();
        const complaint about = complaint_about(std::string{asked.what->name}, why, asked.timeout);
        if (!may_pass(why)) {
            exit_ = here_.fail(why);
            return false;
        }
        const std::string text = about.text();
        if (in_place()) {
            redraw(
                fmt::format("almenara: {}\nTrying again every {}.\n", text, to_string(interval_)));
        } else if (std::exchange(told_, text) != text) {
            here_.out().complain(about, asked.json);
        }
        return true;
    }

    [[nodiscard]] exit_code exit() const { return exit_; }

  private:
    [[nodiscard]] bool in_place() const {
        return here_.out().out_is_terminal() && !here_.asked().json;
    }

    void redraw(const std::string& lines) {
        const std::string head = fmt::format("{}  every {}, Ctrl-C ends\n",
                                             to_string(net::wall_now()), to_string(interval_));
        if (!in_place()) {
            here_.out().print(fmt::format("{}{}\n", head, lines));
            return;
        }
        // To the upper left corner, each line to its end, and the rest of the screen: nothing
        // flickers, because nothing is cleared before it is written again.
        std::string screen = "\x1b[H";
        for (const char letter : head + lines) {
            screen += letter == '\n' ? std::string{"\x1b[K\n"} : std::string{letter};
        }
        here_.out().print(screen + "\x1b[J");
    }

    runtime& here_;
    duration interval_;
    std::string told_; ///< the newest bad news
    exit_code exit_ = exit_code::ok;
};

/// Asks on one connection until it fails. Nothing: the watcher was interrupted.
asio::awaitable<std::optional<client::failure>> watch_connection(runtime& here,
                                                                 watcher& screen,
                                                                 duration interval) {
    runtime::link link{here};
    const auto opened = co_await link.open();
    if (!opened) {
        co_return opened.error();
    }
    while (!here.must_stop()) {
        const instant before = net::monotonic_now();
        const auto status = co_await link->status(here.deadline());
        if (!status) {
            co_return status.error();
        }
        screen.show(*status);
        co_await here.pause_until(before + interval);
        here.begin_round();
    }
    co_await link->close();
    co_return std::nullopt;
}

asio::awaitable<exit_code> watch(runtime& here, duration interval) {
    watcher screen{here, interval};
    if (here.out().out_is_terminal() && !here.asked().json) {
        here.out().print("\x1b[2J");
    }
    while (!here.must_stop()) {
        const instant before = net::monotonic_now();
        const auto why = co_await watch_connection(here, screen, interval);
        if (here.must_stop() || !why) {
            break;
        }
        if (!screen.show(*why)) {
            co_return screen.exit();
        }
        co_await here.pause_until(before + interval);
        here.begin_round();
    }
    co_return here.done();
}

asio::awaitable<exit_code> status(runtime& here, const invocation& asked) {
    if (asked.has("watch")) {
        const duration interval =
            asked.length_of_time("interval").value_or(std::chrono::seconds{1});
        co_return co_await watch(here, interval);
    }
    if (asked.has("interval")) {
        const complaint why = usage_complaint("--interval", "it means nothing without --watch",
                                              "Add --watch, or leave it out.");
        here.out().complain(why, asked.json);
        co_return why.exit;
    }
    co_return co_await show_status(here, printed);
}

constexpr std::array<example, 3> examples{{
    {"almenara --plaintext status", "how the servers are"},
    {"almenara --plaintext status --watch", "the same, again and again"},
    {"almenara --plaintext status --json", "for a script"},
}};

constexpr std::array<option, 2> options{{
    {"watch", 0, value_kind::none, "",
     "show it again and again, each within --timeout, until Ctrl-C", "", ""},
    {"interval", 0, value_kind::length_of_time, "TIME", "with --watch: how often (1s)", "", ""},
}};

} // namespace

constinit const command status_command{
    .name = "status",
    .words = "",
    .summary = "Show how the servers are.",
    .examples = examples,
    .options = options,
    .run = status,
};

} // namespace almenara::cli
