#include "unit/sim/disk_stand.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <cstdint>
#include <set>

namespace almenara {

namespace {

using sim::death;
using storage::core::scan_verdict;
using test::disk_stand;

constexpr std::uint64_t many_seeds = 96;

std::uint64_t entries_of(const storage::core::started_log& found) {
    return found.found.position.last.index.value();
}

/// Batches of several blocks, so that one can be torn between them.
constexpr std::size_t large = 6000;

/// A write goes astray. The process misses the entry, cuts the log there, and gets it again from
/// somebody.
void miss_one_and_repair(disk_stand& s) {
    const replica::log_point whole = s.end();
    s.disk.misdirect_next();
    s.write(1);
    REQUIRE(s.disk.take_events().misdirected == 1);
    s.queue_behind(whole, 1);
    s.work();
}

} // namespace

TEST_CASE("B.5 what was synced survives the power, what was not may not") {
    std::set<std::uint64_t> lengths;
    std::set<scan_verdict> verdicts;
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        disk_stand s{seed};
        s.write(4);
        s.queue(1, large);
        s.begin();
        s.queue(2);
        const auto found = s.start_after(death::power);
        lengths.insert(entries_of(found));
        verdicts.insert(found.verdict);
    }
    CHECK(lengths == std::set<std::uint64_t>{4, 5});
    CHECK(verdicts == std::set{scan_verdict::clean, scan_verdict::torn});
}

TEST_CASE("B.5 a killed process leaves a beginning of its write in the cache") {
    std::set<std::uint64_t> lengths;
    std::set<scan_verdict> verdicts;
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        disk_stand s{seed};
        s.write(4);
        s.queue(1, large);
        s.begin();
        const auto found = s.start_after(death::exit);
        lengths.insert(entries_of(found));
        verdicts.insert(found.verdict);
        // What was found was written again: it is there for good.
        CHECK(entries_of(s.start_after(death::power)) == entries_of(found));
    }
    CHECK(lengths == std::set<std::uint64_t>{4, 5});
    CHECK(verdicts == std::set{scan_verdict::clean, scan_verdict::torn});
}

TEST_CASE(
    "E.3 what waits while a sync runs is the next job, all of it, behind the meta before it") {
    disk_stand s{1};
    s.work();
    s.queue(1);
    s.begin();
    s.queue_epoch(2);
    s.queue(1);
    s.queue(1);
    CHECK_FALSE(s.begin()); // one in flight
    CHECK(s.disk.finish().log.size() == 1);
    REQUIRE(s.begin());
    CHECK(s.disk.finish().meta.has_value());
    REQUIRE(s.begin());
    CHECK(s.disk.finish().log.size() == 2);
    CHECK(s.disk.last() == log_index{3});
}

TEST_CASE("B.8 rot is found by who reads it, and gone when the log was cut before it") {
    disk_stand s{1};
    s.write(5);
    const replica::log_point before = s.end();
    s.write(4);
    s.seal();
    REQUIRE(s.disk.rot_batch(log_index{6}));
    CHECK_FALSE(s.disk.rot_batch(log_index{3})); // one at a time
    const auto read = s.disk.read({.from = log_index{4}, .to = log_index{9}, .max_bytes = 10000});
    CHECK(read.entries.size() == 2);
    CHECK(s.disk.read({.from = log_index{6}, .to = log_index{9}, .max_bytes = 10000}).hole);
    CHECK(s.disk.hurt());

    const auto found = s.start_after(death::exit);
    CHECK(found.verdict == scan_verdict::damaged);
    CHECK(found.found.position.last == before);
    s.queue(2);
    s.work();
    CHECK(s.start_after(death::power).verdict == scan_verdict::clean);
    CHECK(s.disk.last() == log_index{7});
    CHECK_FALSE(s.disk.hurt());
}

TEST_CASE("E.3 what nothing behind it proves does not rot") {
    disk_stand s{1};
    s.write(4);
    CHECK_FALSE(s.disk.rot_batch(log_index{4}));
    s.seal();
    CHECK(s.disk.rot_batch(log_index{4}));
}

TEST_CASE("E.3 a write that went elsewhere is damage, wherever it went") {
    std::set<std::uint64_t> from;
    for (std::uint64_t before = 1; before < 24; ++before) {
        disk_stand s{before};
        s.write(before);
        s.disk.misdirect_next();
        s.write(1);
        REQUIRE(s.disk.take_events().misdirected == 1);
        const auto found = s.start_after(death::power);
        REQUIRE(found.verdict == scan_verdict::damaged);
        REQUIRE(found.found.found_damaged.has_value());
        from.insert(found.found.found_damaged->from.value());
    }
    CHECK(from.size() > 3);
}

TEST_CASE("B.8 what went astray may have hurt what is before the cut of a repair, which stays so") {
    std::set<bool> was_hurt;
    for (std::uint64_t before = 1; before < 24; ++before) {
        disk_stand s{before};
        s.write(before);
        miss_one_and_repair(s);
        const bool is_hurt = s.disk.hurt();
        was_hurt.insert(is_hurt);
        CHECK((s.start_after(death::exit).verdict == scan_verdict::damaged) == is_hurt);
    }
    CHECK(was_hurt == std::set{false, true});
}

TEST_CASE("B.8 what rotted before the cut of a repair stays so, whatever the repair was for") {
    disk_stand s{1};
    s.write(3);
    REQUIRE(s.disk.rot_batch(log_index{2}));
    s.write(1);
    miss_one_and_repair(s);
    CHECK(s.disk.hurt());
    const auto found = s.start_after(death::exit);
    REQUIRE(found.found.found_damaged.has_value());
    CHECK(found.found.found_damaged->from == log_index{2});
}

TEST_CASE("B.8 what rots behind a cut that is made already stays so, although a repair goes on") {
    disk_stand s{1};
    s.write(5);
    s.seal();
    REQUIRE(s.disk.rot_batch(log_index{3}));
    const auto found = s.start_after(death::exit);
    REQUIRE(found.verdict == scan_verdict::damaged);
    CHECK(s.disk.hurt());
    s.write(1);
    CHECK_FALSE(s.disk.hurt());
    s.write(1);
    REQUIRE(s.disk.rot_batch(log_index{3}));
    s.write(1);
    CHECK(s.disk.hurt());
    CHECK(s.start_after(death::exit).verdict == scan_verdict::damaged);
}

TEST_CASE("E.3 a batch of a write that cuts may go astray, and is not cut by its own write") {
    disk_stand s{1};
    s.write(5);
    const replica::log_point whole = s.end();
    s.write(2);
    s.disk.misdirect_next();
    s.queue_behind(whole, 12, large); // More than fits into one batch.
    s.work();
    REQUIRE(s.disk.take_events().misdirected == 1);
    CHECK(s.disk.hurt());
    CHECK(s.start_after(death::exit).verdict == scan_verdict::damaged);
}

TEST_CASE("B.5.4 of a sync that failed nobody knows what it wrote, and nothing runs ahead of it") {
    std::set<std::uint64_t> lengths;
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        disk_stand s{seed};
        s.write(2);
        s.queue(2);
        s.begin();
        s.disk.fail_next_sync();
        s.queue(2); // It goes nowhere.
        CHECK_FALSE(s.disk.finish().ok);
        s.disk.run_ahead();
        CHECK_FALSE(s.begin());
        lengths.insert(entries_of(s.start_after(seed % 2 == 0 ? death::exit : death::power)));
    }
    CHECK(lengths == std::set<std::uint64_t>{2, 4});
}

TEST_CASE("B.15 what was queued may be there after a crash if the disk did not wait for the turn") {
    const death how = GENERATE(death::exit, death::power);
    std::set<std::uint64_t> found;
    std::set<std::uint64_t> without;
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        for (const bool ahead : {true, false}) {
            disk_stand s{seed};
            s.write(1);
            s.queue(1);
            s.begin();
            s.queue(1);
            if (ahead) {
                s.disk.run_ahead();
            }
            (ahead ? found : without).insert(entries_of(s.start_after(how)));
        }
    }
    CHECK(found == std::set<std::uint64_t>{1, 2, 3});
    CHECK(without == std::set<std::uint64_t>{1, 2});
}

TEST_CASE("B.8 a start that is ended in the middle leaves what the next one finds") {
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        disk_stand s{seed};
        s.queue_epoch(3);
        s.write(5);
        s.disk.crash(death::exit);
        static_cast<void>(s.disk.start({}, seed % 5));
        s.disk.crash(death::power);
        const auto found = s.start();
        CHECK(found.meta.epoch == epoch{3});
        CHECK(entries_of(found) == 5);
    }
}

TEST_CASE("B.1 a stop in good order leaves a log that ends where its mark says") {
    disk_stand s{1};
    s.write(3);
    s.queue(2);
    s.disk.stop();
    const auto found = s.start_after(death::power);
    CHECK(entries_of(found) == 5);
    CHECK_FALSE(found.found.unclean_boot);
    CHECK(s.start_after(death::power).found.unclean_boot);
}

TEST_CASE("B.8 segments that nobody needs come back, and the log begins behind them") {
    disk_stand s{1,
                 {.log = {.segment_size = 8 * storage::core::block_size,
                          .batch_bytes = storage::core::block_size,
                          .spares = 1},
                  .kept = {.bytes = 0, .entries = 4, .most_bytes = 0}}};
    s.write(25);
    const storage::core::state_row state{.applied = s.end(), .config = nullptr};
    s.write(5);
    const auto before = s.disk.take_events();
    CHECK(before.recycled == 0);
    CHECK(before.segments > 3);
    s.disk.may_recycle(log_index{20}, log_index{25});
    s.write(10);
    CHECK(s.disk.take_events().recycled > 1);
    const auto old = s.disk.read({.from = log_index{1}, .to = log_index{9}, .max_bytes = 10000});
    CHECK(old.entries.empty());
    CHECK_FALSE(old.hole);
    const auto found = s.start_after(death::power, state);
    CHECK(found.found.base.index > log_index{6});
    CHECK(found.found.base.index < log_index{20});
    CHECK(entries_of(found) == 40);
}

TEST_CASE("B.11 another disk in its place knows nothing") {
    disk_stand s{1};
    s.queue_epoch(4);
    s.write(3);
    s.disk.replace();
    const auto found = s.start();
    CHECK(found.is_new);
    CHECK(found.meta.epoch == epoch{});
    CHECK(entries_of(found) == 0);
}

} // namespace almenara
