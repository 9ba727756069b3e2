#include "shell/script.hpp"

#include "net/signal_watch.hpp"
#include "shell/input_lines.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdint>
#include <string>
#include <utility>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

class script {
  public:
    script(const asio::any_io_executor& executor,
           int descriptor,
           console& out,
           const shell_settings& how)
        : out_(out),
          keep_going_(how.start.has("keep-going")),
          json_(how.start.json),
          commands_(executor, out, how),
          lines_(executor, descriptor),
          // Whoever opened this shell may have files to take away: SIGQUIT counts, too.
          signals_(executor, {SIGINT, SIGTERM, SIGHUP, SIGQUIT}, [this](int) { interrupted(); }) {}

    [[nodiscard]] asio::awaitable<exit_code> run() {
        co_await commands_.come_in();
        while (!must_stop()) {
            const input_line line = co_await lines_.next();
            if (line.is_end) {
                judge_end(line);
                break;
            }
            ++number_;
            if (line.is_too_long) {
                refuse(
                    usage_complaint(fmt::format("line {}", number_),
                                    fmt::format("it has more than {} bytes", input_lines::longest),
                                    "Write a command per line."));
                continue;
            }
            out_.set_place(fmt::format("line {}", number_));
            note(co_await commands_.run(line.text));
        }
        signals_.stop();
        co_await commands_.close();
        co_return interrupted_ ? exit_code::interrupted : first_failure_;
    }

  private:
    /// A second signal has its usual effect.
    void interrupted() {
        signals_.let_go();
        interrupted_ = true;
        lines_.stop();
        commands_.interrupt();
    }

    [[nodiscard]] bool must_stop() const {
        return interrupted_ || commands_.is_left() || out_.broken() ||
               (first_failure_ != exit_code::ok && !keep_going_);
    }

    void note(exit_code exit) {
        if (first_failure_ == exit_code::ok) {
            first_failure_ = exit;
        }
    }

    void judge_end(const input_line& line) {
        if (line.failed) {
            refuse({exit_code::failed, errc::malformed, fmt::format("line {}", number_ + 1),
                    fmt::format("the standard input cannot be read: {}", line.failed.message()),
                    "Give a file or a pipe, as in 'almenara < FILE'."});
        }
    }

    void refuse(const complaint& why) {
        out_.set_place({});
        out_.complain(why, json_);
        note(why.exit);
    }

    console& out_;
    bool keep_going_;
    bool json_;
    interpreter commands_;
    input_lines lines_;
    net::signal_watch signals_;
    std::uint64_t number_ = 0;
    exit_code first_failure_ = exit_code::ok;
    bool interrupted_ = false;
};

} // namespace

asio::awaitable<exit_code> run_script(int descriptor, console& out, const shell_settings& how) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    script lines{executor, descriptor, out, how};
    co_return co_await lines.run();
}

} // namespace almenara::cli
