#include "base/version.hpp"
#include "complaint.hpp"
#include "load.hpp"
#include "net/signal_watch.hpp"
#include "net/spawn.hpp"
#include "net/standard_streams.hpp"
#include "settings.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace almenara;
namespace asio = boost::asio;

constexpr int interrupted = static_cast<int>(cli::exit_code::interrupted);

/// The first signal ends the load early; the second one is from somebody who will not wait.
class interrupt_watch {
  public:
    interrupt_watch(asio::io_context& context, bench::load& all)
        : all_(all),
          signals_(context.get_executor(), {SIGINT, SIGTERM}, [this](int) { interrupt(); }) {}

    void stop() { signals_.stop(); }
    [[nodiscard]] bool interrupted_once() const { return interrupted_; }

  private:
    void interrupt() {
        if (std::exchange(interrupted_, true)) {
            std::_Exit(interrupted);
        }
        all_.interrupt();
    }

    bench::load& all_;
    net::signal_watch signals_;
    bool interrupted_ = false;
};

asio::awaitable<void> play(bench::load& all, client::answer& how, interrupt_watch& signals) {
    how = co_await all.run();
    signals.stop();
}

int complain(const cli::complaint& why, bool json) {
    std::cerr << "almenara-bench: " << why.text() << '\n';
    if (json) {
        std::cout << why.json() << '\n' << std::flush;
    }
    return static_cast<int>(why.exit);
}

int complain_about_history(const bench::settings& asked, std::string why, std::string next) {
    return complain({cli::exit_code::failed, errc::system_failed, "--history " + asked.history,
                     std::move(why), std::move(next)},
                    asked.json);
}

int run(const bench::settings& asked) {
    asio::io_context context{1};
    bench::load all{context.get_executor(), asked};
    if (!all.history_is_whole()) {
        return complain_about_history(asked, "the file cannot be opened for writing",
                                      "Look at its directory, or name another file.");
    }
    interrupt_watch signals{context, all};
    client::answer how;
    net::spawn(context.get_executor(), "bench", play(all, how, signals));
    context.run();
    if (how.code != wire::result_code::ok) {
        return signals.interrupted_once()
                   ? interrupted
                   : complain(cli::complaint_about("the first login", how, asked.timeout),
                              asked.json);
    }
    std::cout << (asked.json ? all.result().json(asked) : all.result().text(asked)) << std::flush;
    if (!all.history_is_whole()) {
        return complain_about_history(asked, "the history could not be written",
                                      "Make room, or name another file.");
    }
    if (signals.interrupted_once()) {
        return interrupted;
    }
    return all.result().errors() == 0 && std::cout.good() ? 0 : 1;
}

/// What cannot be understood may still say that it wants JSON.
int complain_about_words(const std::vector<std::string>& arguments, const error& why) {
    const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    return complain(cli::usage_complaint("the command line", why.message(), ""), json);
}

} // namespace

int main(int count, char** words) {
    net::hold_standard_streams(net::closed_output::fails);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // A limit of file sizes is an error like a full disk.
    const std::vector<std::string> arguments{words + 1, words + count};
    try {
        const auto asked = bench::parse_settings(arguments);
        if (!asked) {
            return complain_about_words(arguments, asked.error());
        }
        if (asked->help || asked->version) {
            std::cout << (asked->help ? bench::help_text()
                                      : "almenara-bench " + std::string{version} + '\n');
            return std::cout.flush().good() ? 0 : 1;
        }
        return run(*asked);
    } catch (const std::exception& failure) {
        std::cerr << "almenara-bench: defect: " << failure.what() << '\n';
        return 1;
    }
}
