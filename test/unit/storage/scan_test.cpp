#include "storage/core/scan.hpp"

#include "support/log_stand.hpp"

#include <catch2/catch_all.hpp>

// E.3: torn or rotten? What was never synced may go; what was synced is never cut silently.
namespace almenara::storage::core {

namespace {

using test::log_stand;

constexpr log_index at(std::uint64_t i) {
    return log_index{i};
}

/// The batch that the planner writes next, not executed.
write_blocks next_write(log_stand& stand) {
    const auto job = stand.planner().next();
    return std::get<write_blocks>(job->front());
}

std::uint64_t last_of(const scan_result& found) {
    return found.position.last.index.value();
}

/// Five entries in two batches of one segment, and nothing else to do.
log_stand small_log() {
    log_stand stand;
    stand.start();
    stand.write(3);
    stand.write(2);
    return stand;
}

/// Where a batch is that holds an entry.
batch_place place_of(log_stand& stand, std::uint64_t index) {
    return stand.look().map.find(at(index))->place;
}

void overwrite_block(log_stand& stand, std::uint64_t offset) {
    const base::byte_vector rubbish(block_size, std::byte{0x5a});
    stand.disk.damage(stand.newest(), offset, rubbish);
}

void check_prefix(const scan_result& found, const std::vector<replica::log_point>& written) {
    REQUIRE(found.positions.size() <= written.size());
    for (std::size_t i = 0; i < found.positions.size(); ++i) {
        REQUIRE(found.positions[i] == written[i]);
    }
}

} // namespace

TEST_CASE("E.3 what was written and synced is found, and writing goes on behind it") {
    log_stand stand = small_log();
    const scan_result found = stand.look();
    CHECK(found.verdict == scan_verdict::clean);
    CHECK(last_of(found) == 5);
    CHECK(found.positions.size() == 5);
    CHECK(found.recent.size() == 5);
    CHECK(found.position.go_on);
    stand.start();
    stand.write(2);
    CHECK(last_of(stand.look()) == 7);
    CHECK(stand.newest().number == 1);
}

TEST_CASE("E.3 entries that the state has are positions only, but for the last one") {
    log_stand stand = small_log();
    CHECK(stand.look(at(3)).recent.size() == 2);
    const scan_result all_applied = stand.look(at(5));
    REQUIRE(all_applied.recent.size() == 1);
    CHECK(all_applied.recent.front()->index == at(5));
}

TEST_CASE("E.3 a last batch of which only a beginning is there is TORN, at every length") {
    log_stand stand = small_log();
    stand.add(3, epoch{1}, 2000);
    const write_blocks write = next_write(stand);
    REQUIRE(write.bytes.size() == 2 * block_size);
    const log_stand before = std::move(stand);
    for (std::size_t length = 1; length <= write.bytes.size(); length += 61) {
        log_stand torn{};
        torn.disk = before.disk;
        torn.disk.damage(write.file, write.offset, base::byte_view{write.bytes}.first(length));
        const scan_result found = torn.look();
        const bool whole = last_of(found) == 8;
        REQUIRE((whole || last_of(found) == 5));
        REQUIRE(found.verdict == (whole ? scan_verdict::clean : scan_verdict::torn));
        REQUIRE((whole || length < 6300));
        REQUIRE((whole || found.position.length == write.offset));
    }
}

TEST_CASE("E.3 a last batch of which any blocks are lost is TORN or not there") {
    log_stand stand = small_log();
    stand.add(6, epoch{1}, 3000);
    const write_blocks write = next_write(stand);
    const std::size_t blocks = write.bytes.size() / block_size;
    REQUIRE(blocks == 5);
    const log_stand before = std::move(stand);
    for (unsigned kept = 0; kept < (1U << blocks); ++kept) {
        log_stand torn{};
        torn.disk = before.disk;
        for (std::size_t i = 0; i < blocks; ++i) {
            if ((kept >> i & 1U) != 0) {
                torn.disk.damage(write.file, write.offset + i * block_size,
                                 base::byte_view{write.bytes}.subspan(i * block_size, block_size));
            }
        }
        const scan_result found = torn.look();
        if (kept + 1 == (1U << blocks)) {
            REQUIRE((found.verdict == scan_verdict::clean && last_of(found) == 11));
        } else {
            REQUIRE(found.verdict == (kept == 0 ? scan_verdict::clean : scan_verdict::torn));
            REQUIRE(last_of(found) == 5);
        }
    }
}

TEST_CASE("E.3 a torn tail is cut: the next segment says how much of the old one counts") {
    log_stand stand = small_log();
    stand.add(3, epoch{1}, 2000);
    const write_blocks write = next_write(stand);
    stand.disk.damage(write.file, write.offset, base::byte_view{write.bytes}.first(block_size));
    const reconciled found = stand.start();
    CHECK(stand.verdict == scan_verdict::torn);
    CHECK_FALSE(found.found_damaged);
    stand.write(1);
    CHECK(stand.newest().number == 2);
    const scan_result after = stand.look();
    CHECK(after.verdict == scan_verdict::clean);
    CHECK(last_of(after) == 6);
    // What lies behind is never looked at, even if it becomes whole.
    stand.disk.damage(write.file, write.offset, write.bytes);
    CHECK(stand.look().positions == after.positions);
}

TEST_CASE("E.3 a valid batch behind an invalid one is DAMAGED, without a seal its end is unknown") {
    log_stand stand = small_log();
    overwrite_block(stand, place_of(stand, 2).offset);
    const scan_result found = stand.look();
    REQUIRE(found.verdict == scan_verdict::damaged);
    CHECK(found.damage == replica::damage{.from = at(1), .end = std::nullopt});
    CHECK(last_of(found) == 0);
    CHECK_FALSE(found.position.go_on);
}

TEST_CASE("E.3 B.8 damage of which everything behind parses up to a seal has a known end") {
    log_stand stand = small_log();
    stand.seal();
    SECTION("in the middle") {
        overwrite_block(stand, place_of(stand, 2).offset);
        CHECK(stand.look().damage->from == at(1));
    }
    SECTION("in the very last batch") {
        overwrite_block(stand, place_of(stand, 5).offset);
        CHECK(stand.look().damage->from == at(4));
    }
    CHECK(stand.look().damage->end == replica::log_end{.epoch = epoch{1}, .index = at(5)});
}

TEST_CASE("E.3 a bad batch before one with which the chain goes on had no entries") {
    log_stand stand = small_log();
    stand.seal();
    const std::uint64_t seal_at = place_of(stand, 5).offset + block_size;
    SECTION("nothing is lost when there is more") {
        stand.write(2);
        overwrite_block(stand, seal_at);
        CHECK(stand.look().verdict == scan_verdict::clean);
        CHECK(last_of(stand.look()) == 7);
    }
    SECTION("nor when it was the last") {
        overwrite_block(stand, seal_at);
        CHECK(stand.look().verdict == scan_verdict::torn);
        CHECK(last_of(stand.look()) == 5);
    }
}

TEST_CASE("E.3 an acked mark behind the first invalid batch is DAMAGED") {
    log_stand stand = small_log();
    stand.planner().queue(replica::meta_record{.number = replica::meta_number{1}, .fields = {}});
    stand.run();
    overwrite_block(stand, place_of(stand, 5).offset);
    CHECK(stand.look().damage == replica::damage{.from = at(4), .end = std::nullopt});
}

TEST_CASE("E.3 after a clean stop the mark is the log's very end") {
    log_stand stand = small_log();
    stand.stop();
    CHECK(stand.meta()->content.fields.clean_stop);
    const std::uint64_t offset = place_of(stand, 5).offset;
    overwrite_block(stand, offset);
    overwrite_block(stand, offset + block_size); // The seal.
    CHECK(stand.look().damage ==
          replica::damage{.from = at(4), .end = replica::log_end{epoch{1}, at(5)}});
    stand.start();
    CHECK_FALSE(stand.meta()->content.fields.clean_stop);
}

TEST_CASE("E.3 every flipped bit of a small log: TORN or DAMAGED, and never a wrong entry") {
    log_stand stand = small_log();
    stand.seal();
    stand.write(1);
    const scan_result whole = stand.look();
    const std::uint64_t last_batch = place_of(stand, 6).offset;
    const auto lengths = stand.disk.bytes(stand.newest());
    std::size_t harmless = 0;
    for (std::uint64_t bit = 0; bit < (last_batch + block_size) * 8; bit += 3) {
        // Padding has no checksum: it says nothing.
        if (lengths[bit / 8] == std::byte{0} && bit / 8 > block_size && bit % 64 != 0) {
            continue;
        }
        stand.disk.flip(stand.newest(), bit);
        const scan_result found = stand.look();
        check_prefix(found, whole.positions);
        const std::uint64_t offset = bit / 8;
        if (offset < block_size) {
            REQUIRE((found.damage && !found.damage->end)); // The header.
        } else if (found.positions.size() == whole.positions.size()) {
            REQUIRE(found.verdict == scan_verdict::clean);
            ++harmless;
        } else if (offset >= last_batch) {
            REQUIRE(found.verdict == scan_verdict::torn); // No seal, no mark: it may be torn.
            REQUIRE(last_of(found) == 5);
        } else {
            REQUIRE(found.verdict == scan_verdict::damaged);
            REQUIRE(found.damage->from == found.position.last.index.next());
        }
        stand.disk.flip(stand.newest(), bit);
    }
    CHECK(harmless > 0);
    CHECK(stand.look().positions == whole.positions);
}

TEST_CASE("E.3 a batch that was written to a wrong place is not taken, and proves itself") {
    log_stand stand = small_log();
    stand.add(2);
    const write_blocks write = next_write(stand);
    SECTION("behind its place") {
        stand.disk.damage(write.file, write.offset + 3 * block_size, write.bytes);
        CHECK(stand.look().damage == replica::damage{.from = at(6), .end = std::nullopt});
    }
    SECTION("over an older one") {
        stand.disk.damage(write.file, place_of(stand, 2).offset, write.bytes);
        CHECK(stand.look().damage == replica::damage{.from = at(1), .end = std::nullopt});
    }
    SECTION("and to its own place too") {
        stand.disk.damage(write.file, write.offset + 3 * block_size, write.bytes);
        stand.disk.damage(write.file, write.offset, write.bytes);
        CHECK(last_of(stand.look()) == 7);
        CHECK(stand.look().damage->from == at(8));
    }
}

TEST_CASE("E.1 the last batch is written and synced again before anybody is told") {
    log_stand stand = small_log();
    stand.add(2);
    const auto job = *stand.planner().next();
    stand.disk.execute(job.front()); // Killed before the sync: the page cache has it.
    CHECK(last_of(stand.look()) == 7);
    stand.start();
    stand.disk.lose_all_unsynced();
    CHECK(last_of(stand.look()) == 7);
}

TEST_CASE("E.3 a commit hint is found again") {
    log_stand stand = small_log();
    stand.planner().committed(at(4));
    stand.write(1);
    CHECK(stand.look().position.hint == at(4));
}

} // namespace almenara::storage::core
