#include "storage/write_ahead_log.hpp"
#include "wal_stand.hpp"

#include <catch2/catch_all.hpp>

#include <string>

#include <sys/mount.h>
#include <unistd.h>

/// What a disk does that fails (E.1).
namespace almenara::storage {

namespace {

using test::disk_script;
using test::part;
using test::same_entries;
using test::says;
using test::scripted;
using test::wal_stand;

/// However the test ends.
struct unmounted_at_end {
    std::string path;
    ~unmounted_at_end() { ::umount2(path.c_str(), MNT_DETACH); }
};

} // namespace

TEST_CASE("E.1 an operation that fails is told once, and the disk is left alone") {
    const auto operation = GENERATE(range<std::size_t>(0, 16));
    wal_stand s;
    s.start();
    s.write(2);
    const auto before = s.entries;
    s.kill();
    disk_script script;
    s.options.make = scripted(script);
    s.start();
    const std::size_t at_start = script.done.size();
    {
        const std::lock_guard held{script.mutex};
        script.fails_at = at_start + operation;
    }
    s.synced = {};
    replica::batch_number last_synced;
    std::size_t told = before.size();
    for (int i = 0; i < 8; ++i) {
        const auto batch = s.add(1, epoch{1}, 3000);
        s.settle();
        if (s.synced == batch) {
            last_synced = batch;
            told = s.entries.size();
        }
    }
    REQUIRE(script.failed);
    CHECK(s.failures == 1);
    CHECK(s.synced == last_synced);
    CHECK_FALSE(script.used_after_failure);
    REQUIRE(s.log().failure());
    CHECK(says(*s.log().failure(), "what the test forbids"));
    CHECK_FALSE(s.log().wake());
    s.options.make = {};
    const auto found = s.start().recent;
    REQUIRE(found.size() >= told);
    CHECK(same_entries(found, part(s, 1, found.size())));
}

TEST_CASE("E.1 a failure beside the log ends it too") {
    wal_stand s;
    s.start();
    s.write(1);
    disk_script script;
    s.options.make = scripted(script);
    s.start();
    script.fails_at = script.done.size();
    s.log().tend();
    s.settle();
    CHECK(s.failures == 1);
    CHECK(s.log().failure());
}

TEST_CASE("E.1 a full disk is said by name, and nothing is lost by it") {
    const test::temporary_directory place;
    if (::geteuid() != 0 ||
        ::mount("tmpfs", place.path().c_str(), "tmpfs", MS_NOSUID, "size=600k") != 0) {
        WARN("no small file system can be mounted here: not tested");
        return;
    }
    const unmounted_at_end mounted{place.path()};
    wal_stand s{place.path()};
    s.start();
    std::size_t told = 0;
    while (!s.log().failure()) {
        const auto batch = s.add(2, epoch{1}, 2000);
        s.settle();
        told = s.synced == batch ? s.entries.size() : told;
    }
    CHECK(told > 0);
    CHECK(says(*s.log().failure(), "filling"));
    CHECK(s.log().failure()->cause == std::errc::no_space_on_device);
    CHECK(same_entries(s.start().recent, part(s, 1, told)));
}

} // namespace almenara::storage
