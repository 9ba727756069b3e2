#include "server/hook_schedule.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <optional>

// --on-primary-change: when its script runs, and for how long.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;

constexpr instant begin{1h};

primary_change of(std::uint64_t number) {
    return {.epoch = epoch{number}, .primary = server_id{1}, .address = "127.0.0.1:7400"};
}

} // namespace

TEST_CASE("on-primary-change: a primary is told of once") {
    hook_schedule hook;
    CHECK_FALSE(hook.start(begin));
    hook.learned(of(4));
    CHECK(hook.start(begin) == of(4));
    CHECK(hook.is_running());
    hook.ended();
    hook.learned(of(4));
    hook.learned(of(3));
    CHECK_FALSE(hook.start(begin + 1s));
    hook.learned(of(5));
    CHECK(hook.start(begin + 1s) == of(5));
}

TEST_CASE("on-primary-change: one at a time, and the latest is next") {
    hook_schedule hook;
    hook.learned(of(1));
    REQUIRE(hook.start(begin) == of(1));
    hook.learned(of(2));
    CHECK_FALSE(hook.start(begin + 1s));
    hook.learned(of(5));
    hook.learned(of(4));
    CHECK_FALSE(hook.start(begin + 2s));
    hook.ended();
    CHECK(hook.start(begin + 3s) == of(5));
    hook.ended();
    CHECK_FALSE(hook.start(begin + 4s));
}

TEST_CASE("on-primary-change: who takes more than 10 s gets SIGTERM, and SIGKILL a second later") {
    hook_schedule hook;
    CHECK_FALSE(hook.due());
    hook.learned(of(1));
    REQUIRE(hook.start(begin));
    CHECK(hook.due() == begin + 10s);
    CHECK_FALSE(hook.urge(begin + 10s - 1ns));
    CHECK_FALSE(hook.is_urged());
    CHECK(hook.urge(begin + 10s) == hook_urge::terminate);
    CHECK(hook.is_urged());

    SECTION("once each") {
        CHECK_FALSE(hook.urge(begin + 10s));
        CHECK(hook.due() == begin + 11s);
        CHECK(hook.urge(begin + 11s) == hook_urge::kill);
        CHECK_FALSE(hook.due());
        CHECK_FALSE(hook.urge(begin + 1h));
        CHECK(hook.is_running());
    }
    SECTION("the next one has all of its time") {
        hook.ended();
        CHECK_FALSE(hook.due());
        hook.learned(of(2));
        REQUIRE(hook.start(begin + 1min));
        CHECK_FALSE(hook.is_urged());
        CHECK(hook.due() == begin + 1min + 10s);
    }
}

TEST_CASE("on-primary-change: a loop that comes late leaves it the time for its last words") {
    hook_schedule hook;
    hook.learned(of(1));
    REQUIRE(hook.start(begin));
    CHECK(hook.urge(begin + 1min) == hook_urge::terminate);
    CHECK(hook.due() == begin + 1min + 1s);
    CHECK_FALSE(hook.urge(begin + 1min));
}

TEST_CASE("on-primary-change: a server that stops begins none, and waits so long for the last") {
    hook_schedule hook;
    hook.learned(of(1));
    SECTION("none runs") {
        hook.stop(begin);
        CHECK_FALSE(hook.start(begin));
    }
    SECTION("one runs") {
        REQUIRE(hook.start(begin));
        hook.learned(of(2));
        hook.stop(begin + 2s);
        CHECK(hook.due() == begin + 2s);
        CHECK(hook.urge(begin + 2s) == hook_urge::terminate);
        CHECK(hook.due() == begin + 2s + 500ms);
        hook.learned(of(3));
        hook.ended();
        CHECK_FALSE(hook.start(begin + 1s));
    }
    SECTION("one has less time anyway") {
        REQUIRE(hook.start(begin));
        hook.stop(begin + 1h);
        CHECK(hook.due() == begin + 10s);
    }
    SECTION("one was asked to end already") {
        REQUIRE(hook.start(begin));
        CHECK(hook.urge(begin + 10s) == hook_urge::terminate);
        hook.stop(begin + 10s);
        CHECK(hook.due() == begin + 10s + 500ms);
    }
}

} // namespace almenara::server
