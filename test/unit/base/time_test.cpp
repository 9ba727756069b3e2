#include "base/time.hpp"

#include "support/results.hpp"

#include <catch2/catch_all.hpp>

#include <concepts>
#include <cstdint>
#include <string>

namespace almenara {

namespace {

using namespace std::chrono_literals;

constexpr instant start{1s};

template <class A, class B>
concept addable = requires(A a, B b) { a + b; };

// Two clocks that count from different moments must not meet in one expression.
static_assert(!std::convertible_to<duration, instant>);
static_assert(!addable<instant, instant>);
static_assert(!std::equality_comparable_with<instant, wall_time>);
static_assert(!std::constructible_from<instant, wall_time>);

static_assert(start + 500ms > start && start - 1s == instant{});
static_assert((start + 2s) - start == 2s);

} // namespace

TEST_CASE("a wall time is written in ISO 8601, in UTC, with milliseconds") {
    const auto [milliseconds, text] = GENERATE(table<std::int64_t, std::string>({
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951'782'400'000, "2000-02-29T00:00:00.000Z"},
        {951'868'799'999, "2000-02-29T23:59:59.999Z"},
        {1'794'216'300'007, "2026-11-09T09:25:00.007Z"},
        {4'107'542'399'000, "2100-02-28T23:59:59.000Z"},
        {4'107'542'400'000, "2100-03-01T00:00:00.000Z"}, // 2100 is no leap year
        {2'147'483'648'000, "2038-01-19T03:14:08.000Z"},
        {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
        {-62'167'219'200'000, "0000-01-01T00:00:00.000Z"},
    }));
    CHECK(to_string(wall_time{std::chrono::milliseconds{milliseconds}}) == text);
}

TEST_CASE("a wall time outside of the years of ISO 8601 is written as its milliseconds") {
    const std::int64_t milliseconds = GENERATE(
        as<std::int64_t>{}, 253'402'300'800'000, -62'167'219'200'001,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min());
    CHECK(to_string(wall_time{std::chrono::milliseconds{milliseconds}}) ==
          std::to_string(milliseconds) + "ms");
}

TEST_CASE("a duration is a whole number and its unit") {
    const auto [text, length] = GENERATE(table<std::string, duration>({
        {"0s", 0s},
        {"1ns", 1ns},
        {"7us", 7us},
        {"200ms", 200ms},
        {"5s", 5s},
        {"10m", 10min},
        {"24h", 24h},
        {"30d", 720h},
        {"0090s", 90s},
        {"106751d", 24h * 106751},
        {"9223372036854775807ns", duration::max()},
    }));
    CHECK(test::value_of(parse_duration(text)) == length);
}

TEST_CASE("a duration without unit, with a sign, or longer than can be counted is refused") {
    const std::string text =
        GENERATE("", "5", "s", "-5s", "-0s", "+5s", "5 s", " 5s", "5s ", "1.5s", "5S", "5sec",
                 "5ms2", "1h30m", "106752d", "9223372036854775808ns", "99999999999999999999s");
    const error failure = test::failure_of(parse_duration(text));
    CHECK(failure.code == errc::invalid);
    CHECK(test::says(failure, "'" + text + "' is not a duration"));
    CHECK(test::says(failure, "200ms"));
}

TEST_CASE("a message about a bad duration cannot steer the terminal it is shown on") {
    CHECK_FALSE(test::says(test::failure_of(parse_duration("\x1b[2J")), "\x1b"));
}

TEST_CASE("a duration is written in the largest unit that leaves no rest") {
    CHECK(to_string(duration::zero()) == "0s");
    CHECK(to_string(1ns) == "1ns");
    CHECK(to_string(1500ms) == "1500ms");
    CHECK(to_string(90s) == "90s");
    CHECK(to_string(120s) == "2m");
    CHECK(to_string(25h) == "25h");
    CHECK(to_string(48h) == "2d");
    CHECK(to_string(duration{-5s}) == "-5s");
    CHECK(to_string(duration::min()) == "-9223372036854775808ns");
}

TEST_CASE("a written duration is read back as the same") {
    const duration length =
        GENERATE(as<duration>{}, 0s, 1ns, 999us, 1001ms, 59s, 61min, 23h, 24h, duration::max());
    CHECK(test::value_of(parse_duration(to_string(length))) == length);
}

} // namespace almenara
