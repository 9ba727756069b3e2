#include "net/signal_watch.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <csignal>
#include <optional>
#include <vector>

namespace almenara::net {

namespace {

namespace asio = boost::asio;

bool has_its_usual_effect(int number) {
    struct sigaction now{};
    return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_DFL;
}

} // namespace

TEST_CASE("a watch tells of each signal until it is stopped, and lets the reactor end then") {
    asio::io_context context;
    std::vector<int> told;
    std::optional<signal_watch> watch;
    watch.emplace(context.get_executor(), std::initializer_list<int>{SIGUSR1, SIGUSR2},
                  [&](int number) {
                      told.push_back(number);
                      if (number == SIGUSR2) {
                          watch->stop();
                      } else {
                          std::raise(SIGUSR2);
                      }
                  });
    std::raise(SIGUSR1);
    context.run();
    CHECK(told == std::vector{SIGUSR1, SIGUSR2});
    CHECK_FALSE(has_its_usual_effect(SIGUSR1));
    std::raise(SIGUSR1);
    context.restart();
    const auto goes_on = asio::make_work_guard(context);
    context.poll();
    CHECK(told.size() == 2); // It did nothing.
    watch.reset();
    CHECK(has_its_usual_effect(SIGUSR1));
}

TEST_CASE("a signal that had come when its watch ended is told to nobody") {
    // Both are handed the signal before either is told of it.
    asio::io_context context;
    std::optional<signal_watch> first;
    std::optional<signal_watch> second;
    int told = 0;
    const auto numbers = {SIGUSR1};
    first.emplace(context.get_executor(), numbers, [&](int) {
        ++told;
        second.reset();
        first->stop();
    });
    second.emplace(context.get_executor(), numbers, [&](int) {
        ++told;
        first.reset();
        second->stop();
    });
    std::raise(SIGUSR1);
    context.run();
    CHECK(told == 1);
}

TEST_CASE("who is told of a signal may let it go, and the watch with it") {
    const bool is_destroyed = GENERATE(false, true);
    asio::io_context context;
    std::optional<signal_watch> watch;
    bool has_usual_effect = false;
    watch.emplace(context.get_executor(), std::initializer_list<int>{SIGUSR1}, [&](int number) {
        if (is_destroyed) {
            watch.reset();
        } else {
            watch->let_go();
        }
        has_usual_effect = has_its_usual_effect(number);
    });
    std::raise(SIGUSR1);
    context.run();
    CHECK(has_usual_effect);
}

TEST_CASE("a watch may be gone before a reactor that never ran") {
    asio::io_context context;
    signal_watch{context.get_executor(), {SIGUSR1}, [](int) {}};
    CHECK(has_its_usual_effect(SIGUSR1));
}

} // namespace almenara::net
