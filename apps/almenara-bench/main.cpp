#include "base/version.hpp"
#include "complaint.hpp"
#include "load.hpp"
#include "net/spawn.hpp"
#include "net/standard_streams.hpp"
#include "settings.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace almenara;
namespace asio = boost::asio;

asio::awaitable<void> play(bench::load& all, client::answer& how, asio::signal_set& signals) {
    how = co_await all.run();
    signals.cancel();
}

int complain(const cli::complaint& why) {
    std::cerr << "almenara-bench: " << why.text() << '\n';
    return static_cast<int>(why.exit);
}

int run(const bench::settings& asked) {
    asio::io_context context{1};
    bench::load all{context.get_executor(), asked};
    asio::signal_set signals{context, SIGINT, SIGTERM};
    signals.async_wait([&](const boost::system::error_code& over, int) {
        if (!over) {
            all.stop();
        }
    });
    client::answer how;
    net::spawn(context.get_executor(), "bench", play(all, how, signals));
    context.run();
    if (how.code != wire::result_code::ok) {
        return complain(cli::complaint_about("the first login", how, asked.timeout));
    }
    std::cout << (asked.json ? all.result().json(asked) : all.result().text(asked)) << std::flush;
    if (!all.history_is_whole()) {
        return complain({cli::exit_code::failed, errc::system_failed, asked.history,
                         "the history could not be written", "Make room, or name another file."});
    }
    return all.result().errors() == 0 && std::cout.good() ? 0 : 1;
}

} // namespace

int main(int count, char** words) {
    net::hold_standard_streams(net::closed_output::fails);
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments{words + 1, words + count};
    try {
        const auto asked = bench::parse_settings(arguments);
        if (!asked) {
            std::cerr << "almenara-bench: " << asked.error().message() << ".\n";
            return static_cast<int>(cli::exit_code::usage);
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
