// Counts one visit more and prints how many there were: a write that is done exactly once,
// whichever servers and connections fail meanwhile.
//
//     example-visits 127.0.0.1:7401
#include "client/cluster.hpp"
#include "services/kv/requests.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>

namespace asio = boost::asio;
using namespace almenara;
using namespace std::chrono_literals;

namespace {

asio::awaitable<int> count_visit(client::cluster& cluster) {
    const services::kv::add one_more{.key = "visits", .delta = 1};
    const auto sum = co_await cluster.execute(one_more, 10s);
    if (sum) {
        std::cout << "visit " << sum->reply.value << ", index " << sum->index
                  << ", on the disks of " << unsigned{sum->durable_on} << " of "
                  << unsigned{sum->voters} << " servers\n";
    } else if (sum.error().is_uncertain()) {
        std::cerr << "it may have been counted: " << sum.error().why() << '\n';
    } else {
        std::cerr << "it was not counted: " << sum.error().why() << '\n';
    }
    co_await cluster.close();
    co_return sum ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int count, char** words) {
    if (count != 2) {
        std::cerr << "usage: example-visits HOST:PORT\n";
        return EXIT_FAILURE;
    }
    asio::io_context context;
    client::cluster cluster{context,
                            {.servers = {words[1]},
                             .user = "visitor",
                             .program = "example-visits",
                             .plaintext = true,
                             .must_find_somebody = true}};
    int exit = EXIT_FAILURE;
    asio::co_spawn(context, count_visit(cluster), [&exit](std::exception_ptr failed, int code) {
        if (failed) {
            std::rethrow_exception(failed);
        }
        exit = code;
    });
    context.run();
    return exit;
}
