#include "base/hlc.hpp"
#include "unit/replica/stand.hpp"

// B.4: the clock of the log.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

} // namespace

TEST_CASE("B.4 log time: never goes back, whatever the wall clock does") {
    stand s{3};
    s.rule();
    const wall_time before = s.core().next_slot(s.now())->time;
    s.propose();
    s.wall_ahead = -24h;
    s.run(20ms);
    s.propose();
    CHECK(s.writes.back().entries.back()->time >= before);
}

TEST_CASE("B.4 log time: does not go back either when the log was given up for its state") {
    const history log = history{test::cluster_of(3)}.add(epoch{2}, 9);
    start_state start = started(test::cluster_of(3), two, log);
    start.base = start.positions.back();
    start.time_at_base = wall_time{std::chrono::hours{24 * 365 * 60}};
    start.positions.clear();
    start.recent.clear();
    start.applied = start.base.index;
    const wall_time before = start.time_at_base;
    stand s{std::move(start)};
    s.take_office();
    CHECK(s.core().next_slot(s.now())->time >= before);
}

TEST_CASE("B.4 log time: advances by at most twice the monotonic time") {
    stand s{3};
    s.rule();
    s.propose();
    const wall_time before = s.writes.back().entries.back()->time;
    s.wall_ahead = 1h;
    s.run(40ms);
    s.propose();
    const wall_time after = s.writes.back().entries.back()->time;
    CHECK(after.since_epoch() - before.since_epoch() <= 80ms);
    CHECK(after > before);
}

TEST_CASE("B.4 log time: follows the wall clock under load, however close entries are") {
    stand s{3};
    s.rule();
    s.disk_is_fast = false;
    const wall_time before = s.core().next_slot(s.now())->time;
    constexpr int proposals = 5'000;
    for (int i = 0; i < proposals; ++i) {
        s.pass(500us);
        s.core().step(s.now(), proposal{});
    }
    const auto advanced = s.core().next_slot(s.now())->time.since_epoch() - before.since_epoch();
    CHECK(advanced >= 2490ms);
    CHECK(advanced <= 2510ms);
}

TEST_CASE("B.4 log time: a wall clock that was behind leaves no credit") {
    stand s{3};
    s.rule();
    const wall_time before = s.core().next_slot(s.now())->time;
    s.wall_ahead = -1h;
    for (int i = 0; i < 1'000; ++i) {
        s.pass(1500us);
        s.core().step(s.now(), proposal{});
    }
    s.wall_ahead = 1h;
    s.pass(10ms);
    const auto advanced = s.core().next_slot(s.now())->time.since_epoch() - before.since_epoch();
    CHECK(advanced <= 22ms);
}

TEST_CASE("B.4 log time: a new primary jumps to the median of those who promised, not further") {
    const auto config = test::cluster_of(3);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.wall_ahead = 2h;
    s.open_all();
    s.ask();
    s.answer(one, answer_kind::grant, s.rank_of(one));
    s.answer(three, answer_kind::grant, s.rank_of(three));
    const wall_time honest{s.now().wall.since_epoch() - 2h};
    SECTION("its own clock alone is not enough") {
        s.promise(one, epoch{3}, honest);
        REQUIRE(s.role() == role_name::primary);
        CHECK(s.writes.back().entries.back()->time <= honest);
    }
    SECTION("a clock that is far behind drags nothing back") {
        s.promise(one, epoch{3}, wall_time{5s});
        CHECK(s.writes.back().entries.back()->time >= wall_time{1'700'000'000s});
    }
}

TEST_CASE("B.4 log time: a wrong clock that all others observed moves nobody's after its death") {
    constexpr server_id four{4};
    constexpr server_id five{5};
    const auto config = test::cluster_of(5);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.open_all();
    s.ask();
    s.close(five); // Its clock is 20 h ahead, and all others have seen its stamps.
    for (const server_id other : {one, three, four}) {
        s.answer(other, answer_kind::grant, s.rank_of(other));
    }
    const wall_time honest = s.now().wall;
    hybrid_clock dragged;
    REQUIRE(dragged.observe(hybrid_clock{}.stamp(wall_time{honest.since_epoch() + 20h}), honest));
    const wall_time stamp = wall_part(dragged.stamp(honest));
    REQUIRE(stamp.since_epoch() - honest.since_epoch() >= 20h);
    const auto all_promise = [&](wall_time clock, wall_time with) {
        for (const server_id other : {one, three}) {
            s.say_on(s.control_of(other),
                     promise{.claimed = epoch{3},
                             .granted = true,
                             .reason = denial::none,
                             .rank = s.rank_of(other),
                             .clock = clock},
                     epoch{3}, with);
        }
        REQUIRE(s.role() == role_name::primary);
    };
    SECTION("PROMISE says the sender's own clock") {
        all_promise(honest, stamp);
    }
    SECTION("a PROMISE of an older peer does not, and its stamp is all there is") {
        all_promise(wall_time{}, honest);
    }
    CHECK(s.writes.back().entries.back()->time == honest);
}

TEST_CASE("B.4 log time: who promises says its own clock") {
    const auto config = test::cluster_of(3);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.open_all();
    s.say(one, claim{.rank = s.rank_of(one)}, epoch{3});
    const auto yes = s.last_said<promise>(one);
    REQUIRE(yes.granted);
    CHECK(yes.clock == s.now().wall);
}

TEST_CASE("B.4 log time: never more than 24 h forward when taking office") {
    const auto config = test::cluster_of(3);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.wall_ahead = std::chrono::hours{24 * 30};
    s.open_all();
    s.take_office();
    CHECK(s.writes.back().entries.back()->time <= wall_time{1'700'000'000s + 24h});
}

TEST_CASE("B.4 log time: never goes back over a restart that found its log applied") {
    const auto config = test::cluster_of(3);
    start_state start = started(config, two, history{config}.add(epoch{2}, 4));
    const wall_time newest = start.recent.back()->time;
    start.applied = log_index{5};
    start.recent = {start.recent.back()}; // What is below needs only its position.
    stand s{start};
    s.wall_ahead = -1h;
    s.take_office();
    CHECK(s.writes.back().entries.back()->time >= newest);
}

} // namespace almenara::replica
