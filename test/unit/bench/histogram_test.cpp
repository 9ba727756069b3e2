#include "histogram.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace almenara;
using namespace std::chrono_literals;
using bench::histogram;

TEST_CASE("a histogram of nothing says nothing") {
    const histogram none;
    CHECK(none.count() == 0);
    CHECK(none.at(500) == 0ns);
    CHECK(none.largest() == 0ns);
}

TEST_CASE("short times are exact") {
    histogram some;
    for (int i = 1; i <= 100; ++i) {
        some.add(duration{i});
    }
    CHECK(some.at(500) == 50ns);
    CHECK(some.at(990) == 99ns);
    CHECK(some.at(999) == 100ns);
    CHECK(some.at(1000) == 100ns);
}

TEST_CASE("long times are exact to 1/64, and never told shorter than they were") {
    for (const duration each : {129ns, 1000ns, 12'345ns, 999'999ns, 87'654'321ns}) {
        histogram some;
        some.add(each);
        some.add(10s);
        const duration told = some.at(500);
        CAPTURE(each, told);
        CHECK(told >= each);
        CHECK(told <= each + each / 64);
    }
}

TEST_CASE("the longest time is exact, and a negative one counts as none") {
    histogram some;
    some.add(1'234'567'891ns);
    some.add(-5ns);
    CHECK(some.largest() == 1'234'567'891ns);
    CHECK(some.at(1000) == 1'234'567'891ns);
    CHECK(some.at(1) == 0ns);
    CHECK(some.count() == 2);
}

TEST_CASE("of three times the half is the one in the middle") {
    histogram some;
    some.add(1ns);
    some.add(2ns);
    some.add(100ns);
    CHECK(some.at(500) == 2ns);
}
