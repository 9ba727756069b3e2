// Changes a value only if nobody else did meanwhile, and asks again if somebody was quicker. It
// says on stderr when the primary is lost and found.
//
//     example-guarded-value 127.0.0.1:7401 "one line more"
#include "client/cluster.hpp"
#include "services/kv/requests.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <variant>

namespace asio = boost::asio;
namespace kv = almenara::services::kv;
using namespace almenara;
using namespace std::chrono_literals;

namespace {

/// The value and its version, which is what the change depends on.
asio::awaitable<client::answer_to<kv::value>> read(client::cluster& cluster,
                                                   std::chrono::steady_clock::time_point until) {
    const kv::get question{.key = "lines"};
    co_return co_await cluster.execute(question, until);
}

/// What the key shall have: its lines and one more.
kv::cas with_line(const client::answer_to<kv::value>& before, const std::string& line) {
    kv::cas change{.key = "lines"};
    change.expected_version = before ? before->reply.version : log_index{};
    if (before) {
        change.value = before->reply.bytes;
    }
    for (const std::byte each : base::as_bytes(line + '\n')) {
        change.value.push_back(each);
    }
    return change;
}

asio::awaitable<bool> add_line(client::cluster& cluster, std::string line) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (true) {
        const auto before = co_await read(cluster, until);
        const bool is_new = !before && before.error().code() == wire::result_code::not_found;
        if (!before && !is_new) {
            std::cerr << "it cannot be read: " << before.error().why() << '\n';
            co_return false;
        }
        const kv::cas change = with_line(before, line);
        const auto written = co_await cluster.execute(change, until);
        if (written) {
            std::cout << "version " << written->reply.version << '\n';
            co_return true;
        }
        if (written.error().code() != wire::result_code::conflict) {
            std::cerr << (written.error().is_uncertain() ? "it may have been written: "
                                                         : "it was not written: ")
                      << written.error().why() << '\n';
            co_return false;
        }
    }
}

void tell(const client::news& what) {
    if (const auto* const lost = std::get_if<client::primary_lost>(&what)) {
        std::cerr << "the primary is lost; " << lost->held << " requests wait\n";
    } else if (const auto* const found = std::get_if<client::reconnected>(&what)) {
        std::cerr << "server " << found->server << " is primary, in epoch " << found->epoch << '\n';
    }
}

asio::awaitable<void> run(client::cluster& cluster, std::string line, bool& is_done) {
    is_done = co_await add_line(cluster, std::move(line));
    co_await cluster.close();
}

} // namespace

int main(int count, char** words) {
    if (count != 3) {
        std::cerr << "usage: example-guarded-value HOST:PORT LINE\n";
        return EXIT_FAILURE;
    }
    asio::io_context context;
    client::cluster cluster{context,
                            {.servers = {words[1]},
                             .user = "writer",
                             .program = "example-guarded-value",
                             .plaintext = true,
                             .must_find_somebody = true}};
    cluster.listen(tell);
    bool is_done = false;
    asio::co_spawn(context, run(cluster, words[2], is_done), [](std::exception_ptr failed) {
        if (failed) {
            std::rethrow_exception(failed);
        }
    });
    context.run();
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
