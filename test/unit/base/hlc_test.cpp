#include "base/hlc.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

namespace almenara {

namespace {

using namespace std::chrono_literals;

constexpr wall_time noon{1'700'000'000'000ms};

constexpr wall_time after(wall_time time, std::chrono::milliseconds by) {
    return wall_time{time.since_epoch() + by};
}

} // namespace

TEST_CASE("a stamp holds the wall time to the millisecond") {
    hybrid_clock clock;
    const hlc_stamp stamp = clock.stamp(noon);
    CHECK(wall_part(stamp) == noon);
    CHECK(stamp.value() == 1'700'000'000'000U << 16U);
    CHECK(clock.last() == stamp);
}

TEST_CASE("stamps of one millisecond are counted") {
    hybrid_clock clock;
    const hlc_stamp first = clock.stamp(noon);
    const hlc_stamp second = clock.stamp(noon);
    CHECK(second == first.next());
    CHECK(wall_part(second) == noon);
}

TEST_CASE("stamps never go back when the wall clock does") {
    hybrid_clock clock;
    hlc_stamp last = clock.stamp(noon);
    for (const auto now : {after(noon, -1ms), after(noon, -1h), wall_time{}, after(noon, -1ms)}) {
        const hlc_stamp stamp = clock.stamp(now);
        CHECK(stamp > last);
        CHECK(wall_part(stamp) == noon);
        last = stamp;
    }
    CHECK(wall_part(clock.stamp(after(noon, 1ms))) == after(noon, 1ms));
}

TEST_CASE("more stamps than a millisecond can count run over into the next one, in order") {
    hybrid_clock clock;
    hlc_stamp last = clock.stamp(noon);
    bool grows = true;
    for (int i = 0; i < 0x10000; ++i) {
        const hlc_stamp stamp = clock.stamp(noon);
        grows = grows && stamp > last;
        last = stamp;
    }
    CHECK(grows);
    CHECK(wall_part(last) == after(noon, 1ms));
    CHECK(clock.stamp(after(noon, 1ms)) > last);
}

TEST_CASE("a wall clock before 1970 counts as 1970") {
    hybrid_clock clock;
    CHECK(clock.stamp(wall_time{-1ms}) == hlc_stamp{1});
    CHECK(clock.stamp(wall_time{std::chrono::milliseconds::min()}) == hlc_stamp{2});
}

TEST_CASE("what was received is smaller than what is sent after it") {
    hybrid_clock ahead;
    const hlc_stamp sent = ahead.stamp(after(noon, 5s));
    hybrid_clock here;
    CHECK(here.observe(sent, noon));
    const hlc_stamp answer = here.stamp(noon);
    CHECK(answer > sent);
    CHECK(wall_part(answer) == after(noon, 5s));
}

TEST_CASE("an old stamp from a peer changes nothing") {
    hybrid_clock clock;
    const hlc_stamp mine = clock.stamp(noon);
    CHECK(clock.observe(hlc_stamp{}, noon));
    CHECK(clock.observe(mine, noon));
    CHECK(clock.last() == mine);
}

TEST_CASE("a peer whose clock is far ahead does not drag the others along") {
    hybrid_clock clock;
    const hlc_stamp mine = clock.stamp(noon);
    const hlc_stamp furthest{
        static_cast<std::uint64_t>(after(noon, hybrid_clock::largest_lead).since_epoch().count())
        << 16U};

    CHECK_FALSE(clock.observe(furthest.next(), noon));
    CHECK_FALSE(clock.observe(hlc_stamp{~std::uint64_t{0}}, noon));
    CHECK(clock.last() == mine);

    CHECK(clock.observe(furthest, noon));
    CHECK(clock.last() == furthest);
}

} // namespace almenara
