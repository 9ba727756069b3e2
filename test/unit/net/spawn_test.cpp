#include "net/spawn.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <exception>
#include <stdexcept>
#include <string>

namespace almenara::net {

namespace {

namespace asio = boost::asio;

asio::awaitable<void> counts(int& runs) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
    ++runs;
}

asio::awaitable<void> fails(std::string why) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
    throw std::logic_error(why);
}

/// What came out of the reactor's run(), and what happened inside it.
struct caught {
    std::string outer;
    std::string inner;
};

caught run_and_catch(asio::io_context& context) {
    try {
        context.run();
    } catch (const task_failed& failure) {
        try {
            std::rethrow_if_nested(failure);
        } catch (const std::logic_error& inner) {
            return {failure.what(), inner.what()};
        }
        return {failure.what(), "nothing"};
    }
    return {};
}

} // namespace

TEST_CASE("style 8 a coroutine that nobody waits for runs to its end") {
    asio::io_context context;
    int runs = 0;
    spawn(context.get_executor(), "first", counts(runs));
    spawn(context.get_executor(), "second", counts(runs));
    CHECK(run_and_catch(context).outer.empty());
    CHECK(runs == 2);
}

TEST_CASE("style 8 an exception in a coroutine comes out of run() with the coroutine's name") {
    asio::io_context context;
    spawn(context.get_executor(), "client 7 reader", fails("it is broken"));
    const caught what = run_and_catch(context);
    CHECK(what.outer == "client 7 reader: it is broken");
    CHECK(what.inner == "it is broken");
}

TEST_CASE("style 8 the other coroutines are not lost when one fails") {
    asio::io_context context;
    int runs = 0;
    spawn(context.get_executor(), "bad", fails("no"));
    spawn(context.get_executor(), "good", counts(runs));
    CHECK(run_and_catch(context).outer == "bad: no");
    CHECK(run_and_catch(context).outer.empty());
    CHECK(runs == 1);
}

} // namespace almenara::net
