#include "net/postbox.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

/// What threads have for their owner. Run with the thread sanitizer.
namespace almenara::net {

namespace {

constexpr std::size_t of_each = 2'000;
constexpr std::size_t writers = 3;

/// The number that the next descriptor gets: the system gives the lowest that is free.
class spare_descriptor {
  public:
    spare_descriptor() : number_(::dup(STDIN_FILENO)) { ::close(number_); }
    [[nodiscard]] int number() const { return number_; }

  private:
    int number_;
};

} // namespace

TEST_CASE("what threads post runs on the owner's, all of it and in each one's order") {
    boost::asio::io_context owner;
    postbox box{owner};
    const auto here = std::this_thread::get_id();
    std::vector<std::pair<std::size_t, std::size_t>> came;
    std::vector<std::thread> threads;
    for (std::size_t who = 0; who < writers; ++who) {
        threads.emplace_back([&, who] {
            for (std::size_t i = 0; i < of_each; ++i) {
                box.post([&, who, i] {
                    CHECK(std::this_thread::get_id() == here);
                    came.emplace_back(who, i);
                    if (came.size() == writers * of_each) {
                        box.close();
                    }
                });
            }
        });
    }
    owner.run(); // Returns, because the last one closes the box.
    for (std::thread& one : threads) {
        one.join();
    }
    REQUIRE(came.size() == writers * of_each);
    std::vector<std::size_t> next(writers);
    for (const auto& [who, i] : came) {
        REQUIRE(i == next[who]++);
    }
}

TEST_CASE("what is posted in what was posted runs later") {
    boost::asio::io_context owner;
    postbox box{owner};
    std::vector<int> order;
    box.post([&] {
        box.post([&] {
            order.push_back(2);
            box.close();
        });
        order.push_back(1);
    });
    owner.run();
    CHECK(order == std::vector{1, 2});
}

TEST_CASE("a box that is closed runs nothing, holds nobody up, and may be written to") {
    boost::asio::io_context owner;
    bool ran = false;
    {
        postbox box{owner};
        box.post([&] { ran = true; });
        std::thread late;
        box.close();
        late = std::thread{[&] { box.post([&] { ran = true; }); }};
        owner.run();
        late.join();
    }
    owner.restart();
    owner.run();
    CHECK_FALSE(ran);
}

TEST_CASE("a box that is closed while it has read a wake ahead holds nobody up") {
    boost::asio::io_context owner;
    const spare_descriptor first_free;
    postbox box{owner};
    // Two threads may wake the owner one behind the other, so that the second time is read before
    // the first is over. What stands in for the box's event can be read twice.
    const int event = first_free.number();
    const int kept = ::dup(event); // What the owner waits for lives on.
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    REQUIRE(::dup2(ends[0], event) == event);
    const std::array<std::uint64_t, 2> twice{1, 1};
    REQUIRE(::write(ends[1], twice.data(), sizeof twice) == sizeof twice);

    bool ran = false;
    box.post([&] {
        ran = true;
        box.close();
    });
    REQUIRE(::write(kept, twice.data(), sizeof twice[0]) == sizeof twice[0]);
    owner.run_for(std::chrono::seconds{5});
    CHECK(ran);
    CHECK(owner.stopped()); // Nothing is left that it waits for.
    for (const int one : {kept, ends[0], ends[1]}) {
        ::close(one);
    }
}

TEST_CASE("a box may go while its owner lives on") {
    boost::asio::io_context owner;
    bool ran = false;
    {
        postbox box{owner};
        box.post([&] { ran = true; });
        owner.poll();
        box.post([] { FAIL("nobody is there any more"); });
    }
    owner.restart();
    owner.run();
    CHECK(ran);
}

} // namespace almenara::net
