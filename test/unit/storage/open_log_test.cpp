#include "storage/open_log.hpp"

#include "base/hash.hpp"
#include "wal_stand.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <fstream>
#include <string>

/// What a start finds in a real directory (B.8, E.1, E.3).
namespace almenara::storage {

namespace {

namespace fs = std::filesystem;
using test::disk_script;
using test::failure_of;
using test::overwrite;
using test::same_entries;
using test::says;
using test::scripted;
using test::wal_stand;

const std::string junk(core::block_size, 'x');

/// A file system that does not read past its cache, or one that does.
class caching_device final : public device {
  public:
    caching_device(std::unique_ptr<device> real, bool reads_past)
        : real_(std::move(real)), reads_past_(reads_past) {}

    result<void> execute(const core::device_operation& operation) override {
        return real_->execute(operation);
    }
    result<std::vector<found_file>> list() override { return real_->list(); }
    result<std::unique_ptr<readable_file>> open(const core::file_name& name, read_from) override {
        auto file = test::value_of(real_->open(name, read_from::cache));
        return std::unique_ptr<readable_file>{
            std::make_unique<said_to_be>(std::move(file), reads_past_)};
    }

  private:
    class said_to_be final : public readable_file {
      public:
        said_to_be(std::unique_ptr<readable_file> file, bool past)
            : file_(std::move(file)), past_(past) {}
        [[nodiscard]] std::uint64_t size() const override { return file_->size(); }
        [[nodiscard]] bool past_cache() const override { return past_; }
        [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) override {
            return file_->read(offset, into);
        }

      private:
        std::unique_ptr<readable_file> file_;
        bool past_;
    };

    std::unique_ptr<device> real_;
    bool reads_past_;
};

} // namespace

TEST_CASE("an empty data directory gets a log, once") {
    wal_stand s;
    s.start();
    CHECK(s.is_new);
    CHECK(s.verdict == core::scan_verdict::clean);
    s.start();
    CHECK_FALSE(s.is_new);
    CHECK(s.end() == replica::log_point{});
}

TEST_CASE("B.1 a server that had a log does not get a new one") {
    wal_stand s;
    SECTION("the caller says so") {
        s.options.missing = missing_log::is_refused;
    }
    SECTION("there still is a segment") {
        s.start();
        s.write(1);
        s.kill();
        fs::remove(s.file("meta"));
    }
    const error failure = failure_of(s.open());
    CHECK(says(failure, "must not vote"));
    CHECK(says(failure, "add it again"));
    CHECK(says(failure, s.path() + "/log"));
}

TEST_CASE("B.1 one slot of meta is enough, none is not") {
    wal_stand s;
    s.start();
    s.set_meta(epoch{7});
    s.kill();
    const auto slot = GENERATE(0U, 1U);
    overwrite(s.file("meta"), slot * core::block_size, junk);
    s.start();
    CHECK(s.meta.epoch == epoch{7});
    s.kill();
    // The start has written what it read to the other one.
    overwrite(s.file("meta"), (1 - slot) * core::block_size, junk);
    s.start();
    CHECK(s.meta.epoch == epoch{7});
    s.kill();
    overwrite(s.file("meta"), 0, junk + junk);
    CHECK(says(failure_of(s.open()), "Remove the server from the cluster and add it again"));
}

TEST_CASE("B.1 a meta that somebody cut is not believed") {
    wal_stand s;
    s.start();
    s.kill();
    fs::resize_file(s.file("meta"), 100);
    CHECK(says(failure_of(s.open()), "must not vote"));
}

TEST_CASE("a log of a newer version is refused, and says what to do") {
    wal_stand s;
    s.start();
    s.write(1);
    s.kill();
    const std::string name = GENERATE(as<std::string>{}, "meta", "log.0000000000000001");
    // The version stands behind the magic; the checksum covers it.
    std::string block = test::content_of(s.file(name)).substr(0, core::block_size);
    block[8] = 2;
    block.replace(16, 8, 8, '\0');
    const std::uint64_t sum = base::xxh3_64(base::as_bytes(block));
    for (std::size_t i = 0; i < 8; ++i) {
        block[16 + i] = static_cast<char>(sum >> (8 * i));
    }
    overwrite(s.file(name), 0, block);
    const error failure = failure_of(s.open());
    CHECK(failure.code == errc::unsupported);
    CHECK(says(failure, "newer version"));
    CHECK(says(failure, "Install that version"));
}

TEST_CASE("B.1 the log of a running server is not opened again") {
    wal_stand s;
    s.start();
    const auto second = data_directory::open(s.path(), std::nullopt);
    CHECK(failure_of(second).code == errc::conflict);
}

TEST_CASE("the files of the log and of the journal are the server's own") {
    wal_stand s;
    s.start();
    for (const std::string& path : {s.path() + "/log", s.file("meta"), s.file("anything")}) {
        CHECK(data_directory::is_own_file(s.path(), path));
    }
    CHECK(data_directory::is_own_file(s.path(), s.path() + "/journal"));
    CHECK(data_directory::is_own_file(s.path(), s.path() + "/journal/00000001.ndjson"));
    CHECK(data_directory::is_own_file(s.path(), s.path() + "/state/CURRENT"));
    CHECK_FALSE(data_directory::is_own_file(s.path(), s.path() + "/logs"));
    CHECK_FALSE(data_directory::is_own_file(s.path(), s.path() + "/other/meta"));
}

TEST_CASE("B.1 a directory with a log but without an identity is nobody's") {
    const test::temporary_directory place;
    fs::create_directories(place / "data/log");
    CHECK_FALSE(data_directory::open(place / "data", std::nullopt).has_value());
}

TEST_CASE("what a killed start left half made goes, what others put there stays") {
    wal_stand s;
    s.start();
    s.kill();
    const std::string half = s.file("spare.0000000000000009.new");
    const std::string other_size = s.file("spare.0000000000000008.blank");
    for (const std::string& path :
         {half, other_size, s.file("meta.new"), s.file("README"), s.file("log.7")}) {
        test::write_file(path, "some bytes");
    }
    s.start();
    CHECK_FALSE(fs::exists(half));
    CHECK_FALSE(fs::exists(other_size));
    CHECK_FALSE(fs::exists(s.file("meta.new")));
    CHECK(fs::exists(s.file("README")));
    CHECK(fs::exists(s.file("log.7")));
}

TEST_CASE("E.1 a start writes what it read before anybody is told of it") {
    wal_stand s;
    s.start();
    s.write(3);
    s.kill();
    disk_script script;
    s.options.make = scripted(script);
    s.start();
    std::vector<std::string> syncs;
    for (const core::device_operation& operation : script.done) {
        if (const auto* sync = std::get_if<core::sync_file>(&operation)) {
            syncs.push_back(to_text(sync->file));
        }
    }
    CHECK(syncs == std::vector<std::string>{"meta", "meta", "meta", wal_stand::segment(1)});
}

TEST_CASE("E.1 a file system that reads from its cache alone is told of, once") {
    const bool reads_past = GENERATE(true, false);
    wal_stand s;
    s.options.make = [reads_past](const std::string& path) -> result<std::unique_ptr<device>> {
        return std::unique_ptr<device>{std::make_unique<caching_device>(
            test::value_of(file_device::open_directory(path)), reads_past)};
    };
    s.start();
    for (int i = 0; i < 30; ++i) {
        s.write(5, epoch{1}, 2000);
    }
    s.start();
    REQUIRE(s.warnings.size() == (reads_past ? 0 : 1));
    CHECK((reads_past || s.warnings.front().find("O_DIRECT") != std::string::npos));
    CHECK((reads_past || s.warnings.front().find(s.path()) != std::string::npos));
}

TEST_CASE("E.1 a start that fails anywhere says so, and the next one finds everything") {
    wal_stand s;
    bool failed = true;
    for (std::size_t operation = 0; failed; ++operation) {
        disk_script script;
        script.fails_at = operation;
        s.options.make = scripted(script);
        const auto opened = s.open();
        failed = script.failed;
        CHECK(opened.has_value() != failed);
        CHECK_FALSE(script.used_after_failure);
        REQUIRE(operation < 20);
    }
    s.options.make = {};
    s.start();
    s.write(2);
    for (std::size_t operation = 0; operation < 4; ++operation) {
        s.kill();
        disk_script script;
        script.fails_at = operation;
        s.options.make = scripted(script);
        CHECK(says(failure_of(s.open()), "what the test forbids"));
        s.options.make = {};
        CHECK(same_entries(s.start().recent, s.entries));
    }
}

TEST_CASE("B.1 only an end that was said counts after a boot of the machine") {
    wal_stand s;
    s.start();
    s.write(1);
    const bool says_so = GENERATE(true, false);
    if (says_so) {
        s.stop();
    }
    s.kill();
    SECTION("the machine was booted") {
        s.options.boot = core::boot_id{{std::byte{2}}};
        CHECK(s.start().unclean_boot == !says_so);
    }
    SECTION("it was not") {
        CHECK_FALSE(s.start().unclean_boot);
    }
}

TEST_CASE("B.8 a state that is ahead of the log is the snapshot") {
    wal_stand s;
    s.start();
    s.write(3);
    core::state_row ahead{.applied = {.index = log_index{10}, .epoch = epoch{2}}, .config = {}};
    const auto found = s.start(ahead);
    CHECK(found.log_given_up);
    CHECK(found.base == ahead.applied);
    s.entries.clear();
    s.write(2, epoch{2});
    const auto again = s.start(ahead);
    CHECK(again.base == ahead.applied);
    CHECK(same_entries(again.recent, s.entries));
}

TEST_CASE("B.8 a log that was recycled does not start without its state, and says what to do") {
    wal_stand s;
    s.start();
    s.log().tend();
    while (s.recycled < log_index{60}) {
        s.write(5, epoch{1}, 2000);
        s.log().may_recycle({.floor = s.end().index,
                             .flushed = s.end().index,
                             .kept = {.bytes = 0, .entries = 0, .most_bytes = 0}});
        s.settle();
    }
    const replica::log_point end = s.end();
    s.stop();
    s.kill();
    const log_index before{s.recycled.value() - 1};
    for (const log_index lost : {log_index{}, log_index{7}, before}) {
        CAPTURE(lost);
        const error no = failure_of(s.open({.applied = {.index = lost, .epoch = epoch{1}}}));
        CHECK(says(no, "it begins behind entry"));
        CHECK(says(no, "Bring back the directory 'state'"));
    }
    // Nothing was done to it: with its state it goes on.
    const auto found = s.start({.applied = end, .config = {}});
    CHECK(s.verdict == core::scan_verdict::clean);
    CHECK_FALSE(found.found_damaged);
    CHECK(found.base.index == log_index{before.value() + 1});
}

TEST_CASE("the kernel names this boot") {
    const auto boot = test::value_of(this_boot());
    CHECK(boot == test::value_of(this_boot()));
    CHECK(boot != core::boot_id{});
}

} // namespace almenara::storage
