#include "server/reactor.hpp"

#include "net/clock.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

// Decision 004: the turn.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

} // namespace

TEST_CASE("decision 004: a turn that is to look again does not sleep, and the next one does") {
    reactor turns;
    std::vector<instant> ends;
    turns.at_end_of_turn([&] {
        ends.push_back(net::monotonic_now());
        if (ends.size() == 1) {
            turns.look_again_until(ends.front() + 1ms);
        }
    });
    asio::steady_timer later{turns.context(), 200ms};
    later.async_wait([](const boost::system::error_code&) {});
    asio::post(turns.context(), [] {});
    turns.run();
    REQUIRE(ends.size() == 3);
    CHECK(ends[1] - ends[0] >= 1ms);
    CHECK(ends[1] - ends[0] < 150ms);
    CHECK(ends[2] - ends[0] >= 150ms);
}

TEST_CASE("decision 004: what comes while it looks again is a turn at once") {
    reactor turns;
    int turn = 0;
    int came_in = 0;
    // Something to wait for, as long as nothing came.
    asio::steady_timer waits{turns.context(), 1h};
    waits.async_wait([](const boost::system::error_code&) {});
    turns.at_end_of_turn([&] {
        if (++turn == 1) {
            turns.look_again_until(net::monotonic_now() + 10s);
            asio::post(turns.context(), [&] {
                came_in = turn + 1;
                waits.cancel();
            });
        }
    });
    asio::post(turns.context(), [] {});
    turns.run();
    CHECK(came_in == 2);
    CHECK(turn == 2);
}

TEST_CASE(
    "decision 004: a reactor with nothing left to wait for ends, even if it is to look again") {
    reactor turns;
    turns.at_end_of_turn([&] { turns.look_again_until(net::monotonic_now() + 10s); });
    asio::post(turns.context(), [] {});
    const auto began = net::monotonic_now();
    turns.run();
    CHECK(net::monotonic_now() - began < 5s);
}

TEST_CASE("decision 004: a turn that was cut is followed by another one, whatever comes") {
    reactor turns;
    std::vector<bool> was_dry;
    bool came_too_late = false;
    asio::steady_timer later{turns.context(), 10s};
    later.async_wait(
        [&](const boost::system::error_code& cancelled) { came_too_late = !cancelled; });
    turns.at_end_of_turn([&] {
        was_dry.push_back(turns.is_dry());
        if (turns.is_dry()) {
            later.cancel();
        }
    });
    // The last of them is over its time, and nothing is left to be done behind it.
    constexpr int handlers_until_it_looks_at_the_clock = 5;
    for (int count = 0; count < handlers_until_it_looks_at_the_clock; ++count) {
        asio::post(turns.context(), [] {
            const instant began = net::monotonic_now();
            while (net::monotonic_now() < began + 1ms) {
            }
        });
    }
    turns.run();
    CHECK_FALSE(came_too_late);
    CHECK_FALSE(was_dry.front());
}

TEST_CASE("D.3: what was done before the first turn is not its length") {
    reactor turns;
    const instant start = turns.now();
    while (net::monotonic_now() < start + 50ms) {
    }
    asio::post(turns.context(), [] {});
    turns.run();
    CHECK(turns.last_turn() < 50ms);
}

TEST_CASE("D.3: how long a turn took is known to the next one") {
    reactor turns;
    std::vector<duration> lengths;
    turns.at_end_of_turn([&] { lengths.push_back(turns.last_turn()); });
    asio::post(turns.context(), [&] {
        // A turn begins when the first thing in it asks what time it is.
        const instant until = turns.now() + 20ms;
        while (net::monotonic_now() < until) {
        }
    });
    asio::steady_timer later{turns.context(), 100ms};
    later.async_wait([](const boost::system::error_code&) {});
    turns.run();
    REQUIRE(lengths.size() == 2);
    CHECK(lengths[1] >= 20ms);
}

TEST_CASE(
    "decision 004: a flood of long handlers does not make a turn much longer than it may be") {
    reactor turns;
    std::vector<int> ends; // How many had run by then.
    int ran = 0;
    for (int i = 0; i < 20; ++i) {
        asio::post(turns.context(), [&ran] {
            const instant begin = net::monotonic_now();
            while (net::monotonic_now() - begin < 1ms) {
                // What a client causes that sends a hundred requests at once.
            }
            ++ran;
        });
    }
    turns.at_end_of_turn([&] { ends.push_back(ran); });
    turns.run();
    CHECK(ran == 20);
    REQUIRE(ends.size() >= 4);
    CHECK(ends.front() <= 5);
}

} // namespace almenara::server
