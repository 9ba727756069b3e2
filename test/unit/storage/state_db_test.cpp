#include "storage/state_db.hpp"

#include "state_stand.hpp"
#include "storage/state_header.hpp"
#include "wire/codec.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

namespace almenara::storage {

namespace {

using test::all_rows;
using test::applied_at;
using test::erase_row;
using test::fetching;
using test::open_state;
using test::put_row;
using test::row_dice;
using test::temporary_directory;
using test::value_of;
using test::value_of_text;

/// As somebody else wrote it: without a header, or with one of another version.
void write_raw(const std::string& path, const std::string& key, const std::string& value) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    REQUIRE(rocksdb::DB::Open(options, path, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db{opened};
    REQUIRE(db->Put({}, key, value).ok());
}

std::vector<std::filesystem::path> table_files(const std::string& path) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator{path}) {
        if (entry.path().extension() == ".sst") {
            found.push_back(entry.path());
        }
    }
    return found;
}

constexpr std::uint64_t large = 10'000;

/// Something in the middle of the file with the rows rots.
void damage_rows(const std::string& path) {
    for (const auto& file : table_files(path)) {
        const std::uint64_t size = std::filesystem::file_size(file);
        if (size > large) {
            std::fstream bytes{file, std::ios::binary | std::ios::in | std::ios::out};
            bytes.seekp(static_cast<std::streamoff>(size / 2));
            bytes.write("rotten", 6);
            REQUIRE(bytes.good());
        }
    }
}

/// No row is like another, so that they fill some blocks.
std::string text_of_row(std::uint64_t number) {
    row_dice luck{number};
    std::string text;
    while (text.size() < 300) {
        text += static_cast<char>(luck.below(256));
    }
    return text;
}

/// Two hundred rows in a file, and nothing of them in memory.
std::string path_of_cold_rows(const temporary_directory& place) {
    const std::string path = place / "state";
    const auto db = open_state(path);
    std::vector<state::change> changes;
    for (std::uint64_t i = 0; i < 200; ++i) {
        changes.push_back(put_row(fmt::format("key/{:03}", i), text_of_row(i)));
    }
    db->apply(applied_at(9), changes);
    return path;
}

/// As a state is that has grown, only smaller.
void cut_into_files(const std::string& path, std::uint64_t file_size) {
    rocksdb::Options options;
    options.target_file_size_base = file_size;
    rocksdb::DB* opened = nullptr;
    REQUIRE(rocksdb::DB::Open(options, path, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db{opened};
    rocksdb::CompactRangeOptions how;
    how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    REQUIRE(db->CompactRange(how, nullptr, nullptr).ok());
}

} // namespace

TEST_CASE("E.2 a state is made, written, closed and opened again") {
    const temporary_directory place;
    {
        const auto db = open_state(place / "state");
        CHECK(db->applied() == state::applied_row{});
        CHECK(db->flushed() == log_index{0});
        db->apply(applied_at(3), std::vector{put_row("a", "1"), put_row("b", "2")});
        db->apply(applied_at(5), std::vector{erase_row("a"), put_row("c", "")});
        CHECK(db->applied() == applied_at(5));
        CHECK_FALSE(db->look("a")->value);
        CHECK(db->look("b")->value == value_of_text("2"));
        CHECK_FALSE(db->failure());
    }
    const auto db = open_state(place / "state", fetching());
    CHECK(db->applied() == applied_at(5));
    CHECK(db->flushed() == log_index{5});
    const std::vector<state::row> rows{{"b", value_of_text("2")}, {"c", {}}};
    CHECK(all_rows(*db) == rows);
}

TEST_CASE("B.4 a crash at any point leaves rows and applied row of one and the same batch") {
    const temporary_directory place;
    const auto db = open_state(place / "state");
    row_dice luck{GENERATE(1U, 2U, 3U)};
    state::memory_key_space model;
    state::memory_key_space in_files;
    for (std::uint64_t index = 1; index <= 30; ++index) {
        const auto changes = luck.changes(10);
        db->apply(applied_at(index), changes);
        model.apply(applied_at(index), changes);
        if (index == 8 || index == 21) {
            REQUIRE(db->flush());
            in_files = model;
        }
        CHECK(db->flushed() == in_files.applied().index);
        const auto after =
            open_state(test::crash_image(place / "state", place / "image"), fetching());
        CHECK(after->applied() == in_files.applied());
        CHECK(all_rows(*after) == all_rows(in_files));
    }
}

TEST_CASE("B.8 replaying the log behind the applied row gives the state that a crash took") {
    const temporary_directory place;
    row_dice luck{4};
    std::map<std::uint64_t, std::vector<state::change>> log;
    state::memory_key_space model;
    std::string path = place / "0";
    std::uint64_t index = 0;
    for (int crash = 1; crash <= 12; ++crash) {
        const auto db = open_state(path, fetching());
        for (auto again = db->applied().index.value() + 1; again <= index; ++again) {
            db->apply(applied_at(again), log[again]);
        }
        CHECK(all_rows(*db) == all_rows(model));
        CHECK(db->applied() == model.applied());
        for (std::uint64_t count = luck.below(20); count > 0; --count) {
            ++index;
            log[index] = luck.changes(10);
            db->apply(applied_at(index), log[index]);
            model.apply(applied_at(index), log[index]);
            if (luck.below(8) == 0) {
                REQUIRE(db->flush());
            }
        }
        path = test::crash_image(path, place / std::to_string(crash));
    }
}

TEST_CASE("gets and scans are those of a key space in memory") {
    const temporary_directory place;
    row_dice luck{GENERATE(11U, 12U)};
    const bool waits = GENERATE(false, true);
    state_db_options options{.write_buffer = 64U << 10U, .cache = 32U << 10U, .flush_entries = 50};
    options.cold = waits ? cold_rows::are_fetched : cold_rows::are_said;
    const auto db = open_state(place / "state", options);
    state::memory_key_space model;
    std::size_t warm = 0;
    for (std::uint64_t index = 1; index <= 400; ++index) {
        const auto changes = luck.changes(20);
        db->apply(applied_at(index), changes);
        model.apply(applied_at(index), changes);
        for (int i = 0; i < 5; ++i) {
            const std::string key = luck.key();
            const auto range = luck.range();
            const auto limit = luck.limit();
            const auto one = db->look(key);
            const auto several = db->look(range, limit);
            REQUIRE((one || !waits));
            REQUIRE((several || !waits));
            REQUIRE((!one || one->value == model.get(key)));
            REQUIRE((!several || *several == model.scan(range, limit)));
            warm += one && several ? 1U : 0U;
        }
        const auto view = value_of(db->view());
        const auto range = luck.range();
        const auto limit = luck.limit();
        REQUIRE(value_of(view->scan(range, limit)) == model.scan(range, limit));
    }
    CHECK(warm > 100);
    CHECK_FALSE(db->failure());
}

TEST_CASE("a row that no memory has is cold, until somebody fetched it") {
    const temporary_directory place;
    const auto db = open_state(path_of_cold_rows(place));
    CHECK_FALSE(db->look("key/100"));
    CHECK_FALSE(db->look({.from = "key/100", .to = {}}, {.rows = 2}));
    // That there is none needs no disk.
    const auto none = db->look("other");
    REQUIRE(none);
    CHECK_FALSE(none->value);

    const auto view = value_of(db->view());
    CHECK(value_of(view->get("key/100")) == value_of_text(text_of_row(100)));
    CHECK(value_of(view->scan({.from = "key/100", .to = {}}, {.rows = 2})).size() == 2);
    REQUIRE(db->look("key/100"));
    CHECK(db->look("key/100")->value == value_of_text(text_of_row(100)));
    CHECK(db->look({.from = "key/100", .to = {}}, {.rows = 2}));
    CHECK_FALSE(db->failure());
}

TEST_CASE("of many files, too, a row that no memory has is cold, and never gone") {
    constexpr std::uint64_t rows = 1000;
    constexpr std::size_t many_files = 30; // RocksDB opens some at the start in any case.
    const temporary_directory place;
    const std::string path = place / "state";
    const auto key_of = [](std::uint64_t row) { return fmt::format("key/{:03}", row); };
    {
        const auto db = open_state(path);
        for (std::uint64_t row = 0; row < rows; ++row) {
            db->apply(applied_at(row + 1), std::vector{put_row(key_of(row), text_of_row(row))});
        }
    }
    cut_into_files(path, 4096);
    const auto db = open_state(path);
    REQUIRE(db->files() >= many_files);
    for (std::uint64_t row = 0; row < rows; ++row) {
        CAPTURE(row);
        const auto expected = value_of_text(text_of_row(row));
        if (const auto found = db->look(key_of(row))) {
            CHECK(found->value == expected);
        }
        CHECK(value_of(value_of(db->view())->get(key_of(row))) == expected);
        REQUIRE(db->look(key_of(row)));
        CHECK(db->look(key_of(row))->value == expected);
    }
}

TEST_CASE("what was just written is warm, also when it went into a file") {
    const temporary_directory place;
    const auto db = open_state(place / "state");
    db->apply(applied_at(1), std::vector{put_row("a", "1")});
    CHECK(db->look("a"));
    REQUIRE(db->flush());
    CHECK(db->look("a"));
    CHECK(db->look({}, {.rows = 10}));
}

TEST_CASE("a view stays as it was, and says how far that is") {
    const temporary_directory place;
    const auto db = open_state(place / "state");
    db->apply(applied_at(1), std::vector{put_row("a", "1"), put_row("b", "1")});
    const auto view = value_of(db->view());
    db->apply(applied_at(2), std::vector{put_row("a", "2"), erase_row("b")});
    CHECK(view->applied() == applied_at(1));
    CHECK(value_of(view->get("a")) == value_of_text("1"));
    CHECK(value_of(view->scan({}, {.rows = 9})).size() == 2);
    const auto newer = value_of(db->view());
    CHECK(newer->applied() == applied_at(2));
    CHECK_FALSE(value_of(newer->get("b")));
}

TEST_CASE("B.8 the state is flushed by itself after so many entries, and says so") {
    const temporary_directory place;
    state_db_options options;
    options.flush_entries = 10;
    const auto db = open_state(place / "state", options);
    std::atomic<int> told = 0;
    db->when_flushed([&told] {
        ++told;
        told.notify_one();
    });
    for (std::uint64_t index = 1; index <= 9; ++index) {
        db->apply(applied_at(index), std::vector{put_row("a", "1")});
    }
    CHECK(db->flushed() == log_index{0});
    db->apply(applied_at(10), std::vector{put_row("a", "2")});
    told.wait(0);
    CHECK(db->flushed() == log_index{10});
    db->when_flushed({});
}

TEST_CASE("B.8 the state is flushed after so much log, also if that came to little") {
    const temporary_directory place;
    const state_db_options options;
    const auto db = open_state(place / "state", options);
    std::atomic<int> told = 0;
    db->when_flushed([&told] {
        ++told;
        told.notify_one();
    });
    const auto same = std::vector{put_row("a", "1")};
    REQUIRE(db->write(applied_at(1), same, options.flush_bytes - 1));
    CHECK(db->flushed() == log_index{0});
    REQUIRE(db->write(applied_at(2), same, 1));
    told.wait(0);
    CHECK(db->flushed() == log_index{2});
    db->when_flushed({});
}

TEST_CASE("a state of a newer version is refused, and it is said what to do") {
    const temporary_directory place;
    base::byte_vector header;
    wire::encode(state_header{.schema = state_schema + 1, .applied = applied_at(4)}, header);
    write_raw(place / "state", "", std::string{base::as_text(header)});
    const error refused = test::failure_of(state_db::open(place / "state"));
    CHECK(refused.code == errc::unsupported);
    CHECK(test::says(refused, "newer version (schema 2, this one knows 1)"));
    CHECK(test::says(refused, "Install that version"));
}

TEST_CASE("a database without a header is none of ours, but an empty one is begun again") {
    const temporary_directory place;
    write_raw(place / "other", "a", "1");
    CHECK(test::failure_of(state_db::open(place / "other")).code == errc::malformed);
    write_raw(place / "odd", "", "no row");
    CHECK(test::failure_of(state_db::open(place / "odd")).code == errc::bad_checksum);
    {
        rocksdb::Options options;
        options.create_if_missing = true;
        rocksdb::DB* opened = nullptr;
        REQUIRE(rocksdb::DB::Open(options, place / "empty", &opened).ok());
        const std::unique_ptr<rocksdb::DB> db{opened};
    }
    CHECK(open_state(place / "empty")->applied() == state::applied_row{});
}

TEST_CASE("a state that is in use is not opened twice") {
    const temporary_directory place;
    const auto db = open_state(place / "state");
    CHECK(test::failure_of(state_db::open(place / "state")).code == errc::system_failed);
    test::write_file(place / "file", "text");
    CHECK(test::says(test::failure_of(state_db::open(place / "file")), "opening the state"));
}

TEST_CASE("E.1 rot is a failure and no answer, for who looks and for who waits") {
    const temporary_directory place;
    const std::string path = path_of_cold_rows(place);
    damage_rows(path);
    const auto db = open_state(path, fetching());
    REQUIRE(db->look("key/000"));
    CHECK_FALSE(db->look({}, {.rows = 200}));
    REQUIRE(db->failure());
    CHECK(db->failure()->code == errc::bad_checksum);
    // Nothing is done with it any more.
    CHECK_FALSE(db->look("key/000"));
    CHECK_FALSE(db->write(applied_at(10), std::vector{put_row("a", "1")}));
    CHECK_FALSE(db->view());
    db->apply(applied_at(10), std::vector{put_row("a", "1")});
    CHECK(db->applied() == applied_at(9));

    const std::string again = test::crash_image(path, place / "again");
    const auto other = open_state(again);
    const auto view = value_of(other->view());
    CHECK(test::failure_of(view->scan({}, {.rows = 200})).code == errc::bad_checksum);
    REQUIRE(other->failure());
    CHECK_FALSE(other->look({.from = "key/000", .to = {}}, {.rows = 1}));
}

TEST_CASE("E.1 a disk that is gone is a failure, once and for all") {
    const temporary_directory place;
    const auto db = open_state(place / "state");
    db->apply(applied_at(1), std::vector{put_row("a", "1")});
    REQUIRE_FALSE(db->failure());
    std::filesystem::remove_all(place / "state");
    CHECK_FALSE(db->flush());
    REQUIRE(db->failure());
    CHECK(db->failure()->code == errc::system_failed);
    std::filesystem::create_directory(place / "state");
    CHECK_FALSE(db->write(applied_at(2), std::vector{put_row("a", "2")}));
    CHECK(db->flushed() == log_index{0});
}

TEST_CASE("B.8 the applied row is what the log's start is told of the state") {
    const core::state_row row = row_for_log(applied_at(9));
    CHECK(row.applied.index == log_index{9});
    CHECK(row.applied.hash.value() == 63);
    CHECK(row.time == wall_time{std::chrono::seconds{9}});
    REQUIRE(row.config);
    CHECK(row.config->index == log_index{4});
    CHECK(row.config->type == replica::entry_type::config);
    CHECK(row.config->payload == value_of_text("config of 4"));
    CHECK_FALSE(row_for_log({}).config);
}

} // namespace almenara::storage
