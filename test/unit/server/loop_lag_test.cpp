#include "server/loop_lag.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

namespace almenara::server {

namespace {

using namespace std::chrono_literals;

constexpr instant begin{1h};

/// So many turns, a millisecond after one another.
instant record(loop_lag& lag, instant at, int count, duration turn) {
    for (int i = 0; i < count; ++i) {
        lag.record(at, turn);
        at = at + 1ms;
    }
    return at;
}

} // namespace

TEST_CASE("004 without turns there is no lag") {
    const loop_lag lag;
    CHECK(lag.percentile(begin, 99) == duration::zero());
    CHECK(lag.percentile(instant{}, 99) == duration::zero());
}

TEST_CASE("004 lag is at most an eighth of a power of two above a turn") {
    const auto [turn, step] = GENERATE(table<duration, duration>({
        {0ns, 1ns},
        {1ns, 2ns},
        {7ns, 8ns},
        {8ns, 9ns},
        {15ns, 16ns},
        {16ns, 18ns},
        {1000ns, 1024ns},
        {1024ns, 1152ns},
        {67'000'000ns, duration{std::int64_t{1} << 26}}, // What client_limit compares with.
        {-5ns, 1ns}, // A clock that goes back is no reason to be late.
        {24h, duration{std::int64_t{1} << 36}},
    }));
    loop_lag lag;
    lag.record(begin, turn);
    CHECK(lag.percentile(begin, 50) == step);
    CHECK(lag.percentile(begin, 100) == step);
}

TEST_CASE("004 one late turn of a hundred is not the 99th percentile, two are") {
    loop_lag lag;
    const instant later = record(lag, begin, 99, 1000ns);
    record(lag, later, 1, 1s);
    CHECK(lag.percentile(later, 99) == 1024ns);
    CHECK(lag.percentile(later, 100) > 1s);
    record(lag, later, 1, 1s);
    CHECK(lag.percentile(later, 99) > 1s);
}

TEST_CASE("004 one late turn of a thousand is not the 99.9th percentile, two are") {
    loop_lag lag;
    for (int turn = 0; turn < 999; ++turn) {
        lag.record(begin, duration{1000});
    }
    lag.record(begin, duration{1'000'000});
    CHECK(lag.per_mille(begin, 999) == duration{1024});
    lag.record(begin, duration{1'000'000});
    CHECK(lag.per_mille(begin, 999) == duration{1 << 20});
}

TEST_CASE("004 a burst is remembered for a window and forgotten after two") {
    loop_lag lag;
    record(lag, begin, 1, 1s);
    const bool turns_go_on = GENERATE(true, false);
    for (duration gone{0}; gone < loop_lag::window; gone += 100ms) {
        if (turns_go_on) {
            lag.record(begin + gone, 1000ns);
        }
        CHECK(lag.percentile(begin + gone, 100) > 1s);
    }
    for (duration gone = 2 * loop_lag::window; gone < 4 * loop_lag::window; gone += 100ms) {
        if (turns_go_on) {
            lag.record(begin + gone, 1000ns);
        }
        CHECK(lag.percentile(begin + gone, 100) <= 1024ns);
    }
}

TEST_CASE("004 a burst is forgotten in time however rarely the reactor turns") {
    const auto first = GENERATE(1ms, 4999ms, 5000ms, 9999ms);
    const auto second = GENERATE(1ms, 4999ms, 5000ms, 9999ms);
    loop_lag lag;
    lag.record(begin, 1s);
    lag.record(begin + first, 1000ns);
    lag.record(begin + first + second, 1000ns);
    const instant long_ago = begin + 2 * loop_lag::window;
    CHECK(lag.percentile(std::max(long_ago, begin + first + second), 100) <= 1024ns);
}

} // namespace almenara::server
