#include "sim/disk.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <set>

using namespace almenara;
using namespace almenara::sim;
using scan = almenara::sim::scan_verdict;

namespace {

constexpr std::uint64_t many_seeds = 64;

replica::entry_ptr entry_at(std::uint64_t index) {
    return std::make_shared<const replica::entry>(
        replica::entry{.index = log_index{index}, .epoch = epoch{2}});
}

/// Entries first..last behind the one before.
replica::log_write write_of(std::uint64_t first, std::uint64_t last) {
    replica::log_write write{.batch = replica::batch_number{first},
                             .truncates = false,
                             .previous = {.index = log_index{first - 1}},
                             .entries = {}};
    for (std::uint64_t i = first; i <= last; ++i) {
        write.entries.push_back(entry_at(i));
    }
    return write;
}

replica::meta_record meta_of(std::uint64_t number) {
    return {.number = replica::meta_number{number}, .fields = {.epoch = epoch{number}}};
}

template <class Job>
void begin(sim::disk& on, Job&& what) {
    on.queue(std::forward<Job>(what));
    REQUIRE(on.begin(instant{}, {}).has_value());
}

template <class Job>
void sync(sim::disk& on, Job&& what) {
    begin(on, std::forward<Job>(what));
    REQUIRE(on.finish().ok);
}

} // namespace

TEST_CASE("B.5 what was synced survives the power, what was not may not") {
    std::set<std::size_t> lengths;
    std::set<scan> verdicts;
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        sim::disk disk{dice{seed}};
        sync(disk, write_of(1, 4));
        begin(disk, write_of(5, 7));
        disk.queue(write_of(8, 9));
        disk.crash(death::power);
        const scan_result found = disk.scan();
        lengths.insert(found.entries.size());
        verdicts.insert(found.verdict);
    }
    CHECK(lengths == std::set<std::size_t>{4, 5, 6, 7});
    CHECK(verdicts == std::set{scan::clean, scan::torn});
}

TEST_CASE(
    "E.3 what waits while a sync runs is the next job, all of it, behind the meta before it") {
    sim::disk disk{dice{1}};
    begin(disk, write_of(1, 1));
    disk.queue(meta_of(2));
    disk.queue(write_of(2, 2));
    disk.queue(write_of(3, 3));
    CHECK_FALSE(disk.begin(instant{}, {}).has_value()); // one in flight
    CHECK(disk.finish().log.size() == 1);
    REQUIRE(disk.begin(instant{}, {}).has_value());
    CHECK(disk.finish().meta.has_value());
    REQUIRE(disk.begin(instant{}, {}).has_value());
    CHECK(disk.finish().log.size() == 2);
    CHECK(disk.last() == log_index{3});
}

TEST_CASE(
    "B.1 a promise from the page cache of a killed process is believed when it is rewritten") {
    std::set<bool> kept_without_rewriting;
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        for (const bool rewritten : {true, false}) {
            sim::disk disk{dice{seed}};
            sync(disk, meta_of(1));
            begin(disk, meta_of(2));
            disk.crash(death::exit);
            const epoch believed = disk.scan(rewritten).meta.epoch;
            disk.crash(death::power);
            const bool kept = disk.scan().meta.epoch == believed;
            if (rewritten) {
                CHECK(kept);
            } else {
                kept_without_rewriting.insert(kept);
            }
        }
    }
    CHECK(kept_without_rewriting == std::set{true, false});
}

TEST_CASE("B.8 rot is found by who reads it, and gone when it was written over") {
    const bool end_readable = GENERATE(true, false);
    sim::disk disk{dice{1}};
    sync(disk, write_of(1, 9));
    REQUIRE(disk.rot(log_index{6}, end_readable));
    CHECK_FALSE(disk.rot(log_index{3}, end_readable)); // one at a time
    CHECK(disk.read({.from = log_index{4}, .to = log_index{9}, .max_bytes = 1000}).entries.size() ==
          2);
    CHECK(disk.read({.from = log_index{6}, .to = log_index{9}, .max_bytes = 1000}).hole);

    const scan_result found = disk.scan();
    CHECK(found.verdict == scan::damaged);
    CHECK(found.entries.size() == 5);
    REQUIRE(found.damage.has_value());
    CHECK(found.damage->from == log_index{6});
    CHECK(found.damage->end.has_value() == end_readable);

    sync(disk, write_of(6, 7));
    CHECK_FALSE(disk.rotten());
    CHECK(disk.scan().verdict == scan::clean); // short and clean: only meta remembers
    CHECK(disk.last() == log_index{7});
    CHECK_FALSE(disk.misuse().has_value());
}

TEST_CASE("B.5 of a sync that failed nobody knows what it wrote") {
    std::set<std::size_t> lengths;
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        sim::disk disk{dice{seed}};
        begin(disk, write_of(1, 2));
        disk.fail_next_sync();
        CHECK_FALSE(disk.finish().ok);
        disk.crash(death::exit);
        lengths.insert(disk.scan().entries.size());
    }
    CHECK(lengths == std::set<std::size_t>{0, 1, 2});
}

TEST_CASE("a write that does not follow the log is said to be one") {
    sim::disk disk{dice{1}};
    sync(disk, write_of(1, 2));
    sync(disk, write_of(5, 6));
    CHECK(disk.misuse().has_value());
}

TEST_CASE("B.15 what was queued may be there after a crash if the disk did not wait for the turn") {
    const death how = GENERATE(death::exit, death::power);
    std::set<std::size_t> found;
    std::set<std::size_t> without;
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        for (const bool ahead : {true, false}) {
            sim::disk one{dice{seed}};
            begin(one, write_of(1, 2));
            one.queue(write_of(3, 4));
            if (ahead) {
                one.run_ahead();
            }
            one.crash(how);
            (ahead ? found : without).insert(one.scan().entries.size());
        }
    }
    CHECK(found == std::set<std::size_t>{0, 1, 2, 3, 4});
    CHECK(without == std::set<std::size_t>{0, 1, 2});
}

TEST_CASE("B.5.4 nothing runs ahead of a sync that failed") {
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        sim::disk one{dice{seed}};
        one.fail_next_sync();
        begin(one, write_of(1, 2));
        one.queue(write_of(3, 4));
        REQUIRE_FALSE(one.finish().ok);
        one.run_ahead();
        one.crash(death::power);
        CHECK(one.scan().entries.size() <= 2);
    }
}
