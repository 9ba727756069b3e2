#include "net/postbox.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

/// What threads have for their owner. Run with the thread sanitizer.
namespace almenara::net {

namespace {

constexpr std::size_t of_each = 2'000;
constexpr std::size_t writers = 3;

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
