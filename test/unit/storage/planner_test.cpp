#include "storage/core/log_planner.hpp"
#include "support/log_stand.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace almenara::storage::core {

namespace {

using test::log_stand;

constexpr log_index at(std::uint64_t i) {
    return log_index{i};
}

std::string word(const create_file& o) {
    return "create " + to_text(o.file);
}
std::string word(const write_blocks& o) {
    return "write " + to_text(o.file) + " at " + std::to_string(o.offset / block_size);
}
std::string word(const sync_file& o) {
    return "sync " + to_text(o.file);
}
std::string word(const rename_file& o) {
    return "rename " + to_text(o.from) + " " + to_text(o.to);
}
std::string word(const remove_file& o) {
    return "remove " + to_text(o.file);
}
std::string word(const sync_directory&) {
    return "sync directory";
}

std::vector<std::string> words(const device_operations& operations) {
    std::vector<std::string> all;
    for (const device_operation& operation : operations) {
        all.push_back(std::visit([](const auto& o) { return word(o); }, operation));
    }
    return all;
}

using text = std::vector<std::string>;

} // namespace

TEST_CASE("E.3 a segment's header is synced before its name, its name before its first batch") {
    log_stand stand;
    stand.start();
    const auto number = stand.add(2);
    CHECK(words(*stand.planner().next()) ==
          text{"create spare.0000000000000001.new", "write spare.0000000000000001.new at 0",
               "sync spare.0000000000000001.new",
               "rename spare.0000000000000001.new log.0000000000000001", "sync directory",
               "write log.0000000000000001 at 1", "sync log.0000000000000001"});
    CHECK_FALSE(stand.planner().next().has_value()); // One job in flight.
    CHECK(stand.planner().durable() == at(0));
    CHECK(stand.planner().finished() == disk_answer{.meta = {}, .log = number});
    CHECK(stand.planner().durable() == at(2));
}

TEST_CASE("E.3 a new segment's mark goes to both slots of meta when it is quiet") {
    log_stand stand;
    stand.start();
    stand.write(2);
    const meta_fields fields = stand.meta()->content.fields;
    CHECK(fields.acked == acked_mark{epoch{1}, at(2), segment_seq{1}});
}

TEST_CASE("E.2 everything that arrives while one sync runs is the next batch") {
    log_stand stand;
    stand.start();
    stand.write(1);
    stand.add(1);
    stand.disk.execute(*stand.planner().next());
    stand.add(2);
    const auto last = stand.add(3);
    CHECK(stand.planner().finished().log);
    const auto job = *stand.planner().next();
    CHECK(words(job) == text{"write log.0000000000000001 at 3", "sync log.0000000000000001"});
    stand.disk.execute(job);
    CHECK(stand.planner().finished().log == last);
    CHECK(stand.planner().durable() == at(7));
    CHECK(stand.look().map.find(at(4))->place.first == at(3));
}

TEST_CASE("E.2 a batch has a largest size, and a write is told when all of it is synced") {
    log_stand stand{log_stand::small_segment, 2 * block_size};
    stand.start();
    const auto first = stand.add(1);
    const auto second = stand.add(5, epoch{1}, 3000);
    std::vector<std::optional<replica::batch_number>> told;
    while (const auto job = stand.planner().next()) {
        stand.disk.execute(*job);
        const disk_answer answer = stand.planner().finished();
        if (answer.log) {
            told.push_back(answer.log);
        }
    }
    CHECK(told == std::vector<std::optional<replica::batch_number>>{first, second});
    CHECK(stand.look().positions.size() == 6);
}

TEST_CASE("E.2 an entry that is larger than a batch is one of its own") {
    log_stand stand{log_stand::small_segment, 2 * block_size};
    stand.start();
    stand.write(1);
    stand.write(1, epoch{1}, 30'000);
    stand.write(1);
    CHECK(stand.look().positions.size() == 3);
}

TEST_CASE("E.3 what is cut before it was written never reaches the disk") {
    log_stand stand;
    stand.start();
    stand.write(2);
    const replica::log_point keep = stand.end();
    stand.add(3);
    const auto last = stand.replace(keep, 1, epoch{2});
    const auto job = *stand.planner().next();
    CHECK(words(job) == text{"write log.0000000000000001 at 2", "sync log.0000000000000001"});
    stand.disk.execute(job);
    CHECK(stand.planner().finished().log == last);
    const scan_result found = stand.look();
    CHECK(found.positions.size() == 3);
    CHECK(found.positions.back().epoch == epoch{2});
}

TEST_CASE("E.3 a truncation with nothing behind it opens a segment too") {
    log_stand stand;
    stand.start();
    stand.write(2);
    const replica::log_point keep = stand.end();
    stand.write(3);
    const auto number = stand.replace(keep, 0, epoch{2});
    CHECK(stand.run().log == number);
    CHECK(stand.newest().number == 2);
    CHECK(stand.look().positions.size() == 2);
    CHECK(stand.planner().durable() == at(2));
}

TEST_CASE("E.3 the log is sealed once when nothing is written") {
    log_stand stand;
    stand.start();
    stand.write(2);
    stand.planner().idle();
    const auto job = *stand.planner().next();
    CHECK(words(job) == text{"write log.0000000000000001 at 2", "sync log.0000000000000001"});
    CHECK(stand.planner().finished() == disk_answer{});
    stand.planner().idle();
    CHECK_FALSE(stand.planner().next().has_value());
}

TEST_CASE("E.1 a spare is made beside the jobs, and taken by the next segment") {
    log_stand stand;
    stand.start();
    stand.write(2);
    CHECK(words(*stand.planner().next_beside()) ==
          text{"create spare.0000000000000002.new", "sync spare.0000000000000002.new",
               "rename spare.0000000000000002.new spare.0000000000000002.blank", "sync directory"});
    CHECK_FALSE(stand.planner().next_beside().has_value());
    stand.planner().finished_beside();
    CHECK_FALSE(stand.planner().next_beside().has_value());
    stand.replace({}, 1, epoch{2});
    CHECK(words(*stand.planner().next()).front() == "write spare.0000000000000002.blank at 0");
}

TEST_CASE("E.1 with little room no spare is made, and a segment only when it is needed") {
    log_stand stand;
    stand.start();
    stand.write(2);
    stand.planner().may_make_spares(false);
    CHECK_FALSE(stand.planner().next_beside().has_value());
    stand.replace({}, 1, epoch{2});
    CHECK(words(*stand.planner().next()).front() == "create spare.0000000000000002.new");
    static_cast<void>(stand.planner().finished());
    stand.planner().may_make_spares(true);
    CHECK(stand.planner().next_beside().has_value());
}

TEST_CASE("E.1 a start takes away what a crash left half made") {
    CHECK(words(plan_tidying({{file_kind::meta, 0},
                              {file_kind::unfinished, 3},
                              {file_kind::segment, 1},
                              {file_kind::meta_new, 0},
                              {file_kind::blank_spare, 2}})) ==
          text{"remove spare.0000000000000003.new", "remove meta.new", "sync directory"});
}

TEST_CASE("B.8 segments go from the oldest on, when nobody needs them") {
    log_stand stand{8 * block_size};
    stand.start();
    for (int i = 0; i < 25; ++i) {
        stand.write(1, epoch{1}, 3000);
    }
    const auto oldest_after = [&stand](recycling_limits limits) {
        stand.planner().may_recycle(limits);
        stand.tend();
        return stand.planner().map().segments().front().seq.value();
    };
    const retention none{.bytes = 0, .entries = 0, .most_bytes = 0};
    CHECK(oldest_after({.floor = at(0), .flushed = at(25), .kept = none}) == 1);
    CHECK(oldest_after({.floor = at(25), .flushed = at(0), .kept = none}) == 1);
    CHECK(oldest_after({.floor = at(6), .flushed = at(25), .kept = none}) == 1);
    SECTION("the floor") {
        CHECK(oldest_after({.floor = at(7), .flushed = at(25), .kept = none}) == 2);
    }
    SECTION("the flushed state") {
        CHECK(oldest_after({.floor = at(25), .flushed = at(14), .kept = none}) == 3);
    }
    SECTION("entries that are kept behind the state") {
        CHECK(oldest_after({.floor = at(25),
                            .flushed = at(25),
                            .kept = {.bytes = 0, .entries = 12, .most_bytes = 1U << 30U}}) == 2);
    }
    SECTION("bytes that are kept behind it") {
        CHECK(oldest_after({.floor = at(25),
                            .flushed = at(25),
                            .kept = {.bytes = 2 * 8 * block_size, .entries = 0}}) == 3);
    }
    SECTION("the newest never goes") {
        CHECK(oldest_after({.floor = at(99), .flushed = at(99), .kept = none}) == 4);
    }
    CHECK(stand.look().verdict == scan_verdict::clean);
    CHECK(stand.look().position.last.index == at(25));
}

TEST_CASE("B.8 nothing is recycled while damage is not repaired") {
    log_stand stand{8 * block_size};
    stand.start();
    for (int i = 0; i < 18; ++i) {
        stand.write(1, epoch{1}, 3000);
    }
    stand.planner().queue(replica::meta_record{
        .number = replica::meta_number{1},
        .fields = {.damaged = replica::damage{.from = at(9), .end = std::nullopt}}});
    stand.run();
    stand.planner().may_recycle({.floor = at(18), .flushed = at(18), .kept = {0, 0, 0}});
    stand.tend();
    CHECK(stand.disk.has(segment_file_name(segment_seq{1})));
}

} // namespace almenara::storage::core
