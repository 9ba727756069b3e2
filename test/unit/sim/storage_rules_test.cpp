#include "storage/core/rules.hpp"
#include "unit/sim/disk_stand.hpp"

#include <catch2/catch_all.hpp>

#include <functional>

// The rules of lib/storage/core on simulated disks: each story comes out well, and does not if its
// rule is switched off.
namespace almenara {

namespace {

using sim::death;
using storage::core::rule;
using storage::core::scan_verdict;
using test::disk_stand;

constexpr std::uint64_t many_seeds = 64;

/// Whether the story comes out well whatever the luck.
bool holds_always(const std::function<bool(std::uint64_t seed)>& story) {
    for (std::uint64_t seed = 0; seed < many_seeds; ++seed) {
        if (!story(seed)) {
            return false;
        }
    }
    return true;
}

void check_needs(rule needed, const std::function<bool(std::uint64_t seed)>& story) {
    CHECK(holds_always(story));
    base::break_rule(needed);
    const bool without = holds_always(story);
    base::restore_rules<rule>();
    CHECK_FALSE(without);
}

} // namespace

TEST_CASE(
    "B.1 promise_repeat_unsynced: a promise from a page cache is believed once it is synced") {
    check_needs(rule::start_rewrites, [](std::uint64_t seed) {
        disk_stand s{seed};
        s.queue_epoch(1);
        s.work();
        s.queue_epoch(2);
        s.begin();
        const epoch believed = s.start_after(death::exit).meta.epoch;
        return s.start_after(death::power).meta.epoch == believed;
    });
}

TEST_CASE("B.1 meta_slot_rots: whichever slot rots, the other one has the promise") {
    check_needs(rule::both_slots, [](std::uint64_t seed) {
        disk_stand s{seed};
        for (std::uint64_t number = 1; number <= 1 + seed % 3; ++number) {
            s.queue_epoch(number);
            s.work();
        }
        REQUIRE(s.disk.rot_slot());
        return s.start_after(death::power).meta.epoch == epoch{1 + seed % 3};
    });
}

TEST_CASE("E.3 truncate_then_tear: a mark of what was cut makes no healthy log damaged") {
    check_needs(rule::void_suffix, [](std::uint64_t seed) {
        disk_stand s{seed};
        s.write(4);
        const replica::log_point keep = s.end();
        s.write(5);
        s.seal();
        s.disk.crash(death::exit);
        s.start();
        s.queue_epoch(2); // `meta` takes the mark along.
        s.work();
        s.queue_behind(keep, 1);
        s.begin();
        return s.start_after(death::power).verdict != scan_verdict::damaged;
    });
}

TEST_CASE("E.3 truncate_then_tear: a header that cannot be read is damage, and no spare") {
    check_needs(rule::header_is_no_spare, [](std::uint64_t seed) {
        disk_stand s{seed};
        s.write(4);
        const replica::log_point keep = s.end();
        s.write(3);
        s.queue_behind(keep, 2);
        s.work();
        REQUIRE(s.disk.rot_header(s.end().index));
        const auto found = s.start_after(death::exit);
        return found.verdict == scan_verdict::damaged && !found.found.found_damaged->end;
    });
}

TEST_CASE("E.3 what rots before a later batch is damage, and no torn tail") {
    check_needs(rule::proof_of_durable, [](std::uint64_t seed) {
        disk_stand s{seed};
        s.write(9);
        s.seal();
        const replica::log_point written = s.end();
        REQUIRE(s.disk.rot_batch(log_index{5}));
        const auto found = s.start_after(death::exit);
        return found.verdict == scan_verdict::damaged &&
               found.found.found_damaged->from == log_index{5} &&
               found.found.found_damaged->end == replica::end_of(written);
    });
}

TEST_CASE("B.8 state_ahead_of_log: a state that the log does not reach is where it begins anew") {
    check_needs(rule::base_from_state, [](std::uint64_t seed) {
        disk_stand s{seed};
        s.write(4);
        s.queue(2);
        s.begin();
        // Two others had them, so they were committed, and the state was flushed.
        const storage::core::state_row state{.applied = s.end(), .config = nullptr};
        const auto found = s.start_after(death::power, state);
        return found.found.position.last == state.applied && !found.found.found_damaged;
    });
}

} // namespace almenara
