#include "storage/disk_thread.hpp"
#include "storage/write_ahead_log.hpp"
#include "wal_stand.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <thread>
#include <vector>

/// What crosses between the owner of the log and its two threads. Run with the thread sanitizer.
namespace almenara::storage {

namespace {

using test::owner_loop;
using test::temporary_directory;
using test::value_of;
using test::wal_stand;

std::unique_ptr<device> device_in(const temporary_directory& place) {
    return value_of(file_device::open_directory(place.path()));
}

} // namespace

TEST_CASE("work is done in order on one thread, and answered on the owner's") {
    const temporary_directory place;
    owner_loop loop;
    const auto owner = std::this_thread::get_id();
    std::vector<int> order;
    std::thread::id worker;
    disk_thread disk{device_in(place), loop.poster(), lane::log};
    for (int i = 0; i < 200; ++i) {
        disk.give([&, i](device&) {
            const auto here = std::this_thread::get_id();
            return disk_thread::answer{[&, i, here] {
                CHECK(std::this_thread::get_id() == owner);
                worker = here;
                order.push_back(i);
            }};
        });
        if (i % 3 == 2) {
            while (order.size() <= static_cast<std::size_t>(i)) {
                REQUIRE(loop.run_one());
            }
        }
    }
    while (order.size() < 200) {
        REQUIRE(loop.run_one());
    }
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(worker != owner);
}

TEST_CASE("a disk thread ends when what it does is done") {
    const temporary_directory place;
    owner_loop loop;
    std::atomic<int> begun = 0;
    std::atomic<int> done = 0;
    std::atomic<bool> go_on = false;
    {
        disk_thread disk{device_in(place), loop.poster(), lane::background};
        for (int i = 0; i < 2; ++i) {
            disk.give([&](device&) {
                ++begun;
                go_on.wait(false);
                ++done;
                return disk_thread::answer{[] {}};
            });
        }
        while (begun == 0) {
            std::this_thread::yield();
        }
        go_on = true;
        go_on.notify_all();
    }
    // What waited was perhaps not begun, but nothing was left in the middle.
    CHECK(done >= 1);
    CHECK(done == begun);
}

TEST_CASE("what is done in the background is cut short at the end, what the log does is not") {
    const auto which = GENERATE(lane::log, lane::background);
    const temporary_directory place;
    owner_loop loop;
    std::atomic<bool> begun = false;
    std::atomic<bool> whole = false;
    constexpr std::uint64_t size = std::uint64_t{1} << 30U;
    constexpr core::file_name spare{.kind = core::file_kind::unfinished, .number = 1};
    {
        disk_thread disk{device_in(place), loop.poster(), which};
        disk.give([&](device& on) {
            begun = true;
            begun.notify_all();
            const std::uint64_t much = which == lane::log ? size >> 8U : size;
            whole = on.execute(core::create_file{.file = spare, .size = much}).has_value();
            return disk_thread::answer{[] {}};
        });
        begun.wait(false);
    }
    CHECK(whole == (which == lane::log));
}

TEST_CASE("E.2 a log is written, read and tended at once, and killed in the middle") {
    wal_stand s;
    s.start();
    std::size_t told = 0;
    for (int round = 0; round < 4; ++round) {
        s.log().tend();
        for (int i = 0; i < 100; ++i) {
            const auto batch = s.add(3, epoch{1}, 500);
            s.log().read({.request = static_cast<std::uint64_t>(i),
                          .purpose = replica::read_purpose::catch_up,
                          .from = log_index{1},
                          .to = s.end().index,
                          .max_bytes = 10'000});
            s.log().run(s.now);
            if (i % 10 == 9) {
                s.settle();
                CHECK(s.synced == batch);
                told = s.entries.size();
            }
        }
        s.add(3);
        s.log().run(s.now); // And is killed before it is told.
        const auto found = s.start();
        CHECK(found.recent.size() >= told);
        s.entries.resize(found.recent.size());
        CHECK(test::same_entries(found.recent, s.entries));
    }
    CHECK(s.failures == 0);
    s.stop();
}

} // namespace almenara::storage
