// coroutines refuses this as lib/net/asio.cpp
// The four forms as they look with the library that this project uses.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using namespace asio::experimental::awaitable_operators;

struct message {
    std::string from;
    std::string text{};
};

asio::awaitable<void> send(message what);
asio::awaitable<void> send_lines(std::vector<std::string> lines);
asio::awaitable<std::string> receive();
asio::awaitable<void> timeout();

asio::awaitable<void> talk(asio::experimental::channel<void(error_code, message)>& mail,
                           std::string name,
                           bool loud) {
    auto executor = co_await asio::this_coro::executor;
    co_await send({.from = name});                                                      // refused
    co_await mail.async_send(error_code{}, message{.from = name}, asio::use_awaitable); // refused
    co_await (send({.from = name}) || timeout());                                       // refused
    co_await asio::co_spawn( // the temporary is on the next line
        executor, [name]() -> asio::awaitable<void> { co_return; }, asio::use_awaitable); // refused
    std::string text = loud ? co_await receive() : std::string{};                         // refused
    co_await send_lines({name, text});                                                    // refused
}
