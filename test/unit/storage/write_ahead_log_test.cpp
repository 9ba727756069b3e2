#include "storage/write_ahead_log.hpp"

#include "wal_stand.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

/// The log on a real disk: written, killed, opened again.
namespace almenara::storage {

namespace {

namespace fs = std::filesystem;
using test::disk_script;
using test::overwrite;
using test::part;
using test::same_entries;
using test::scripted;
using test::wal_stand;

const std::string junk(core::block_size, 'x');

std::set<std::string> files_of(const wal_stand& s) {
    std::set<std::string> names;
    for (const auto& one : fs::directory_iterator{s.path() + "/log"}) {
        names.insert(one.path().filename().string());
    }
    return names;
}

std::size_t open_files() {
    const auto all = fs::directory_iterator{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

} // namespace

TEST_CASE("E.2 what was said to be synced is there after a kill") {
    wal_stand s;
    s.start();
    for (std::size_t round = 1; round < 6; ++round) {
        s.write(round * 7);
        s.set_meta(epoch{round});
        const auto found = s.start();
        CHECK(s.verdict == core::scan_verdict::clean);
        CHECK(same_entries(found.recent, s.entries));
        CHECK(s.meta.epoch == epoch{round});
    }
}

TEST_CASE("E.2 everything that arrives during one sync is the next batch") {
    wal_stand s;
    s.start();
    s.write(1);
    disk_script script;
    s.options.make = scripted(script);
    s.start();
    const std::size_t before = script.done.size();
    s.add(1);
    s.log().run(s.now);
    for (int i = 0; i < 50; ++i) {
        s.add(1);
    }
    const auto last = s.add(1);
    s.log().run(s.now);
    while (s.synced != last) {
        REQUIRE(s.loop().run_one());
        s.collect();
        s.log().run(s.now);
    }
    CHECK(script.done.size() == before + 4); // Two writes, two syncs.
    CHECK(same_entries(s.start().recent, s.entries));
}

TEST_CASE("E.3 a tail that was torn is cut, and the log goes on") {
    wal_stand s;
    s.start();
    s.write(3);
    s.write(1, epoch{1}, 10'000);
    s.kill();
    // Of the last batch, which takes three blocks, the middle one did not arrive.
    overwrite(s.file(wal_stand::segment(1)), 3 * core::block_size, junk);
    const auto found = s.start();
    CHECK(s.verdict == core::scan_verdict::torn);
    CHECK_FALSE(found.found_damaged);
    CHECK(same_entries(found.recent, part(s, 1, 3)));
    s.entries.resize(3);
    s.write(2);
    CHECK(same_entries(s.start().recent, s.entries));
    CHECK(files_of(s).contains(wal_stand::segment(2)));
}

TEST_CASE("E.3 a file that was cut at its end loses what was there") {
    wal_stand s;
    s.start();
    s.write(3);
    s.write(1, epoch{1}, 10'000);
    s.kill();
    fs::resize_file(s.file(wal_stand::segment(1)), 3 * core::block_size + 100);
    CHECK(same_entries(s.start().recent, part(s, 1, 3)));
    s.entries.resize(3);
    s.write(2);
    CHECK(same_entries(s.start().recent, s.entries));
}

TEST_CASE("E.3 what rots before the end is damage, and is not cut") {
    wal_stand s;
    s.start();
    s.write(3);
    s.write(2);
    s.write(2);
    s.kill();
    overwrite(s.file(wal_stand::segment(1)), 2 * core::block_size, junk);
    const auto found = s.start();
    CHECK(s.verdict == core::scan_verdict::damaged);
    REQUIRE(found.found_damaged);
    CHECK(found.found_damaged->from == log_index{4});
}

TEST_CASE("E.3 a sealed log shows rot in its last batch") {
    wal_stand s;
    s.start();
    s.write(3);
    s.rest();
    s.kill();
    overwrite(s.file(wal_stand::segment(1)), core::block_size, junk);
    const auto found = s.start();
    CHECK(s.verdict == core::scan_verdict::damaged);
    REQUIRE(found.found_damaged);
    CHECK(found.found_damaged->end == replica::log_end{.epoch = epoch{1}, .index = log_index{3}});
}

TEST_CASE("E.3 the log asks to be sealed 10 ms after the last write") {
    wal_stand s;
    s.start();
    s.settle();
    CHECK(s.log().wake() == s.now + write_ahead_log::quiet_before_seal);
    s.rest();
    CHECK_FALSE(s.log().wake()); // Nothing was ever written.
    s.write(1);
    const instant due = s.now + write_ahead_log::quiet_before_seal;
    CHECK(s.log().wake() == due);
    s.now = due - std::chrono::milliseconds{1};
    s.write(1);
    CHECK(s.log().wake() == s.now + write_ahead_log::quiet_before_seal);
    s.rest();
    CHECK_FALSE(s.log().wake());
    CHECK(s.start().position.sealed);
}

TEST_CASE("E.3 a log that is being written is not sealed, however late it is") {
    wal_stand s;
    s.start();
    s.write(1);
    CHECK(s.log().wake());
    s.add(1);
    s.log().run(s.now);
    CHECK_FALSE(s.log().wake()); // The disk is busy.
    s.now = s.now + std::chrono::seconds{1};
    s.log().run(s.now);
    s.settle();
    CHECK(s.log().wake() == s.now + write_ahead_log::quiet_before_seal);
    CHECK_FALSE(s.start().position.sealed);
}

TEST_CASE("E.3 entries that replace others are what a start finds") {
    wal_stand s;
    s.start();
    s.write(10);
    s.replace(replica::point_of(*s.entries[5]), 3, epoch{2});
    s.settle();
    CHECK(same_entries(s.start().recent, s.entries));
    CHECK(same_entries(s.read(log_index{1}, log_index{9}).entries, s.entries));
    s.replace(replica::point_of(*s.entries[1]), 0, epoch{2});
    s.settle();
    CHECK(same_entries(s.start().recent, part(s, 1, 2)));
}

TEST_CASE("the log goes on from segment to segment") {
    wal_stand s;
    s.start();
    for (int i = 0; i < 60; ++i) {
        s.write(5, epoch{1}, 2000);
    }
    CHECK(files_of(s).size() > 3);
    const auto found = s.start();
    CHECK(s.verdict == core::scan_verdict::clean);
    CHECK(same_entries(found.recent, s.entries));
}

TEST_CASE("B.8 segments that nobody needs are used again") {
    wal_stand s;
    s.start();
    s.log().tend();
    std::size_t most = 0;
    bool reused = false;
    for (int i = 0; i < 100; ++i) {
        s.write(5, epoch{1}, 2000);
        s.log().may_recycle({.floor = s.end().index,
                             .flushed = s.end().index,
                             .kept = {.bytes = 0, .entries = 0, .most_bytes = 0}});
        s.settle();
        const auto files = files_of(s);
        most = std::max(most, files.size());
        reused = reused || std::any_of(files.begin(), files.end(), [](const std::string& name) {
                     return name.ends_with(".used");
                 });
    }
    CHECK(most <= 5);
    CHECK(reused);
    CHECK_FALSE(files_of(s).contains(wal_stand::segment(1)));
    const log_index gone = s.log().gone();
    CHECK(gone > log_index{1});
    CHECK(gone < s.end().index);
    CHECK(s.recycled == gone);
    for (const log_index from : {log_index{1}, gone}) {
        const auto nothing = s.read(from, s.end().index);
        CHECK(nothing.entries.empty());
        CHECK_FALSE(nothing.hole);
    }
    CHECK(same_entries(s.read(gone.next(), s.end().index, 50'000'000).entries,
                       part(s, gone.value() + 1, s.entries.size())));
    // What is left is a log whose beginning the state has.
    const replica::log_point applied = s.end();
    s.write(5);
    const auto found = s.start({.applied = applied, .config = {}});
    CHECK(s.verdict == core::scan_verdict::clean);
    CHECK_FALSE(found.found_damaged);
    CHECK(found.base.index > log_index{1});
    CHECK(s.end() == replica::point_of(*s.entries.back()));
}

TEST_CASE("without tending no spare is made") {
    wal_stand s;
    s.start();
    s.write(1);
    CHECK(files_of(s).size() == 2);
    s.log().tend();
    s.settle();
    CHECK(files_of(s).size() == 3);
}

TEST_CASE("entries are read back from the disk") {
    wal_stand s;
    s.start();
    for (int i = 0; i < 30; ++i) {
        s.write(4, epoch{1}, 1000);
    }
    const auto index = [](std::uint64_t i) { return log_index{i}; };
    for (std::uint64_t from = 1; from <= 120; from += 13) {
        CHECK(same_entries(s.read(index(from), index(120)).entries, part(s, from, 120)));
        CHECK(same_entries(s.read(index(from), index(from)).entries, part(s, from, from)));
    }
    SECTION("no more than was asked for, but one at least") {
        CHECK(s.read(index(2), index(120), 1).entries.size() == 1);
        const auto some = s.read(index(3), index(120), 20'000);
        CHECK(some.entries.size() > 5);
        CHECK(some.entries.size() < 30);
    }
    SECTION("what is beyond the end is not there, and is no hole") {
        const auto nothing = s.read(index(121), index(130));
        CHECK(nothing.entries.empty());
        CHECK_FALSE(nothing.hole);
        CHECK(s.read(index(119), index(130)).entries.size() == 2);
    }
    SECTION("after another start too") {
        s.start();
        CHECK(same_entries(s.read(index(1), index(120)).entries, s.entries));
    }
}

TEST_CASE("entries that are not synced yet are waited for") {
    wal_stand s;
    s.start();
    s.add(3);
    const auto answer = s.read(log_index{1}, log_index{3});
    CHECK(same_entries(answer.entries, s.entries));
}

TEST_CASE("E.3 what rotted is a hole, and what stands before it is not") {
    wal_stand s;
    s.start();
    for (int i = 0; i < 4; ++i) {
        s.write(2);
    }
    s.settle();
    overwrite(s.file(wal_stand::segment(1)), 3 * core::block_size + 100, "rot");
    CHECK(same_entries(s.read(log_index{1}, log_index{8}).entries, part(s, 1, 4)));
    const auto hole = s.read(log_index{5}, log_index{8});
    CHECK(hole.hole);
    CHECK(hole.entries.empty());
    CHECK_FALSE(s.read(log_index{7}, log_index{8}).hole);
}

TEST_CASE("a stop seals the log and says that it ends here") {
    wal_stand s;
    s.start();
    s.write(3);
    s.add(2);
    s.stop();
    const auto found = s.start();
    CHECK(found.position.sealed);
    CHECK(same_entries(found.recent, s.entries));
    s.options.boot = core::boot_id{{std::byte{2}}};
    // That start said nothing when it ended.
    CHECK(s.start().unclean_boot);
}

TEST_CASE("no file stays open that nobody uses") {
    const std::size_t before = open_files();
    {
        wal_stand s;
        s.start();
        s.log().tend();
        s.write(1);
        s.settle();
        const std::size_t running = open_files();
        for (int i = 0; i < 60; ++i) {
            s.write(5, epoch{1}, 2000);
            static_cast<void>(s.read(log_index{1}, s.end().index));
        }
        s.settle();
        CHECK(files_of(s).size() > 4);
        CHECK(open_files() <= running);
    }
    CHECK(open_files() == before);
}

} // namespace almenara::storage
