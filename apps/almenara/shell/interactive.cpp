#include "shell/interactive.hpp"

#include "base/version.hpp"
#include "net/clock.hpp"
#include "net/signal_watch.hpp"
#include "shell/completion.hpp"
#include "shell/editor_stream.hpp"
#include "shell/history_file.hpp"
#include "shell/key_look_up.hpp"
#include "shell/terminal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <langinfo.h>
#include <unistd.h>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

/// Who presses Tab does not wait longer for the servers.
constexpr duration longest_look_up = 500ms;
/// Nobody wants to be told of what takes less.
constexpr duration worth_telling = 500ms;
constexpr duration progress_interval = 250ms;

/// libedit asks the locale how a character is encoded and how wide it is.
void speak_utf8() {
    std::setlocale(LC_CTYPE, "");
    if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) {
        std::setlocale(LC_CTYPE, "C.UTF-8");
    }
}

/// In a terminal of this name libedit edits nothing, and errands come as keys.
void be_an_editor() {
    const char* const terminal = std::getenv("TERM");
    if (terminal != nullptr && std::strcmp(terminal, "emacs") == 0) {
        ::setenv("TERM", "dumb", 1);
    }
}

class interactive_shell final : public std::enable_shared_from_this<interactive_shell>,
                                private line_editor::listener {
  public:
    interactive_shell(asio::any_io_executor executor, terminal_ends ends, const shell_settings& how)
        : editor_(executor, *this, ends, history_path()),
          printed_buffer_(editor_, line_editor::channel::out),
          said_buffer_(editor_, line_editor::channel::err),
          printed_(&printed_buffer_),
          said_(&said_buffer_),
          out_(printed_, said_, ::isatty(ends.out) == 1),
          commands_(executor, out_, how),
          news_(executor),
          progress_(executor),
          signals_(executor,
                   {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP},
                   [this](int which) { heard(which); }) {
        if (out_.out_is_terminal()) {
            out_.set_look([out = ends.out] { return look_of(out); });
        }
    }

    [[nodiscard]] asio::awaitable<exit_code> run() {
        out_.say(
            fmt::format("almenara {}: 'help' shows what can be done, Ctrl-D leaves.", version));
        co_await commands_.come_in();
        bool armed = false;
        while (!leaves_) {
            editor_.read_line(std::exchange(armed, false));
            co_await wait_for_lines();
            while (!lines_.empty() && !leaves_) {
                const std::string line = take_line();
                co_await run_line(line);
                armed = interrupts_ > 0;
                if (armed) {
                    lines_.clear(); // The others were pasted with the one that was given up.
                }
            }
        }
        signals_.stop();
        co_await commands_.close();
        editor_.close();
        co_return exit_;
    }

  private:
    [[nodiscard]] std::string take_line() {
        std::string line = std::move(lines_.front());
        lines_.pop_front();
        return line;
    }

    [[nodiscard]] asio::awaitable<void> wait_for_lines() {
        while (lines_.empty() && !leaves_) {
            news_.expires_at(asio::steady_timer::time_point::max());
            co_await news_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    [[nodiscard]] asio::awaitable<void> run_line(std::string line) {
        interrupts_ = 0;
        running_ = true;
        watch_progress();
        static_cast<void>(co_await commands_.run(std::move(line)));
        running_ = false;
        progress_.cancel();
        editor_.show_progress({});
        if (commands_.is_left()) {
            leave(exit_code::ok);
        }
    }

    void leave(exit_code how) {
        leaves_ = true;
        exit_ = how;
        news_.cancel();
    }

    // -- What is heard --

    void line_typed(std::string lines) override {
        for (std::size_t at = 0; at <= lines.size();) {
            const std::size_t end = std::min(lines.find('\n', at), lines.size());
            lines_.push_back(lines.substr(at, end - at));
            at = end + 1;
        }
        news_.cancel();
    }

    void line_left(line_exit how) override {
        leave(how == line_exit::end_of_input ? exit_code::ok : exit_code::interrupted);
    }

    void completion_wanted(completion_number which, std::string before_cursor) override {
        completion_question asked = question_about(before_cursor, commands_.settings().extra);
        if (!asked.wants_keys) {
            editor_.offer(which, offer_for(asked));
            return;
        }
        ask_for_keys(which, key_look_up{std::move(asked)}, net::monotonic_now() + longest_look_up);
    }

    void ask_for_keys(completion_number which, key_look_up look, instant until) {
        base::byte_vector question = look.question();
        commands_.cluster().read(
            std::move(question), until,
            [this, which, look = std::move(look), until](const client::answer& how) mutable {
                if (look.take(how)) {
                    ask_for_keys(which, std::move(look), until);
                } else {
                    editor_.offer(which, look.offer());
                }
            });
    }

    void heard(int signal) {
        switch (signal) {
        case SIGWINCH:
            editor_.resize();
            break;
        case SIGTSTP:
            editor_.suspend();
            break;
        case SIGINT:
            interrupt();
            break;
        default:
            commands_.interrupt();
            leave(exit_code::interrupted);
            break;
        }
    }

    /// The first ends the command, a second one the shell too.
    void interrupt() {
        if (!running_) {
            editor_.interrupt();
            return;
        }
        commands_.interrupt();
        if (++interrupts_ > 1) {
            leave(exit_code::interrupted);
        }
    }

    // -- What takes long --

    void watch_progress() {
        progress_.expires_after(progress_interval);
        // The timer may have expired before the shell was gone.
        progress_.async_wait([weak = weak_from_this()](const boost::system::error_code& over) {
            if (const auto self = weak.lock(); self && !over && self->running_) {
                self->tell_progress();
                self->watch_progress();
            }
        });
    }

    void tell_progress() {
        const auto since = commands_.waits_since();
        const duration waited = since ? net::monotonic_now() - *since : duration::zero();
        if (waited < worth_telling) {
            return;
        }
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited).count();
        const std::string so_long = seconds > 0 ? fmt::format(" ({} s)", seconds) : std::string{};
        editor_.show_progress(fmt::format(
            "waiting for {}{}...", commands_.has_primary() ? "an answer" : "the primary", so_long));
    }

    libedit_editor editor_;
    editor_buffer printed_buffer_;
    editor_buffer said_buffer_;
    std::ostream printed_;
    std::ostream said_;
    console out_;
    interpreter commands_;
    std::deque<std::string> lines_;
    asio::steady_timer news_; ///< cancelled when there is something to do
    asio::steady_timer progress_;
    net::signal_watch signals_;
    int interrupts_ = 0; ///< of the line that runs
    bool running_ = false;
    bool leaves_ = false;
    exit_code exit_ = exit_code::ok;
};

} // namespace

asio::awaitable<exit_code> run_interactive(terminal_ends ends, const shell_settings& how) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    speak_utf8();
    be_an_editor();
    const auto shell = std::make_shared<interactive_shell>(executor, ends, how);
    co_return co_await shell->run();
}

} // namespace almenara::cli
