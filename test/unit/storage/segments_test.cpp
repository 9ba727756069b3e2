#include "base/hash.hpp"
#include "storage/core/scan.hpp"
#include "storage/core/segment.hpp"
#include "support/log_stand.hpp"

#include <catch2/catch_all.hpp>

// E.3: what several segments say of each other.
namespace almenara::storage::core {

namespace {

using test::log_stand;

constexpr log_index at(std::uint64_t i) {
    return log_index{i};
}

file_name segment(std::uint64_t seq) {
    return segment_file_name(segment_seq{seq});
}

std::uint64_t last_of(const scan_result& found) {
    return found.position.last.index.value();
}

void rot_header(log_stand& stand, std::uint64_t seq) {
    stand.disk.flip(segment(seq), 100 * 8);
}

void overwrite_block(log_stand& stand, std::uint64_t seq, std::uint64_t offset) {
    const base::byte_vector rubbish(block_size, std::byte{0x5a});
    stand.disk.damage(segment(seq), offset, rubbish);
}

/// 1..6 in epoch 1, of which 4..6 are cut and replaced by 4..5 of epoch 2, in a second segment.
log_stand truncated_log() {
    log_stand stand;
    stand.start();
    stand.write(3);
    const replica::log_point keep = stand.end();
    stand.write(3);
    stand.replace(keep, 2, epoch{2});
    stand.run();
    return stand;
}

/// Three segments with entries of 3000 bytes, one in each batch.
log_stand long_log() {
    log_stand stand{8 * block_size};
    stand.start();
    for (int i = 0; i < 18; ++i) {
        stand.write(1, epoch{1}, 3000);
    }
    return stand;
}

} // namespace

TEST_CASE("E.3 a full segment opens the next") {
    log_stand stand = long_log();
    CHECK(stand.newest().number == 3);
    CHECK(last_of(stand.look()) == 18);
    CHECK(stand.look().verdict == scan_verdict::clean);
    stand.start();
    stand.write(1);
    CHECK(last_of(stand.look()) == 19);
}

TEST_CASE("E.3 a truncation closes the segment: what it cut is void, and nothing is damaged") {
    log_stand stand = truncated_log();
    const scan_result found = stand.look();
    CHECK(stand.newest().number == 2);
    CHECK(found.verdict == scan_verdict::clean);
    REQUIRE(last_of(found) == 5);
    CHECK(found.positions[2].epoch == epoch{1});
    CHECK(found.positions[3].epoch == epoch{2});
    CHECK(found.map.find(at(4))->segment == segment_seq{2});
    CHECK_FALSE(found.map.find(at(6)));
}

TEST_CASE("E.3 rot in the truncated suffix is no damage") {
    log_stand stand = truncated_log();
    overwrite_block(stand, 1, 2 * block_size);
    CHECK(stand.look().verdict == scan_verdict::clean);
    CHECK(last_of(stand.look()) == 5);
}

TEST_CASE("E.3 a mark of a suffix that was cut is void") {
    log_stand stand;
    stand.start();
    stand.write(3);
    const replica::log_point keep = stand.end();
    stand.write(6);
    stand.planner().queue(replica::meta_record{.number = replica::meta_number{1}, .fields = {}});
    stand.run();
    CHECK(stand.meta()->content.fields.acked.index == at(9));
    stand.replace(keep, 2, epoch{2});
    // Only the log's job: `meta` still has the mark of the old segment.
    stand.disk.execute(*stand.planner().next());
    CHECK(stand.meta()->content.fields.acked.index == at(9));
    CHECK(stand.look().verdict == scan_verdict::clean);
    CHECK(last_of(stand.look()) == 5);
}

TEST_CASE("E.3 truncate_then_tear: the cut is there, the torn batch behind it is not") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        base::generator luck{seed};
        log_stand stand;
        stand.start();
        stand.write(3);
        const replica::log_point keep = stand.end();
        stand.write(3);
        const replica::log_point old_end = stand.end();
        stand.replace(keep, 40, epoch{2});
        const replica::log_point new_end = stand.end();
        auto job = *stand.planner().next();
        job.resize(1 + luck.below(job.size()));
        if (std::holds_alternative<sync_file>(job.back())) {
            job.pop_back();
        }
        stand.disk.execute(job);
        stand.disk.lose_power(luck);
        stand.start();
        const replica::log_point end = stand.end();
        REQUIRE((end == old_end || end == keep || end == new_end));
        REQUIRE(stand.verdict != scan_verdict::damaged);
        stand.replace(end.index > keep.index ? keep : end, 2, epoch{3});
        stand.run();
        REQUIRE(stand.look().verdict == scan_verdict::clean);
        REQUIRE(last_of(stand.look()) == 5);
    }
}

TEST_CASE("E.3 rot in the newest segment's header is DAMAGED with an unknown end, never a spare") {
    log_stand stand = truncated_log();
    rot_header(stand, 2);
    SECTION("a dead suffix is never served: only what is committed is ours for sure") {
        const scan_result found = stand.look(at(2));
        CHECK(found.damage == replica::damage{.from = at(3), .end = std::nullopt});
        CHECK(last_of(found) == 2);
        REQUIRE(found.recent.size() == 1);
        CHECK(found.recent.front()->index == at(2));
    }
    SECTION("repaired behind it, it is damaged no more") {
        const reconciled found =
            stand.start({.applied = stand.look().positions.empty() ? replica::log_point{}
                                                                   : stand.look().positions[0],
                         .config = nullptr});
        REQUIRE(found.found_damaged);
        stand.replace(found.position.last, 4, epoch{3});
        stand.run();
        CHECK(stand.newest().number == 3);
        CHECK(stand.look().verdict == scan_verdict::clean);
        CHECK(last_of(stand.look()) == found.position.last.index.value() + 4);
    }
}

TEST_CASE("E.3 rot in the header of an older segment") {
    log_stand stand = long_log();
    SECTION("of the oldest: the log begins behind it") {
        rot_header(stand, 1);
        const scan_result found = stand.look(at(10));
        CHECK(found.base.index == at(7));
        CHECK(last_of(found) == 18);
    }
    SECTION("in the middle: entries are missing") {
        rot_header(stand, 2);
        const scan_result found = stand.look(at(5));
        CHECK(found.damage == replica::damage{.from = at(6), .end = std::nullopt});
    }
}

TEST_CASE("E.3 a gap between the numbers, or before the one that meta knows, is DAMAGED") {
    log_stand stand = long_log();
    SECTION("in the middle") {
        stand.disk.remove(segment(2));
        CHECK(stand.look().verdict == scan_verdict::damaged);
    }
    SECTION("the newest") {
        stand.disk.remove(segment(3));
        const scan_result found = stand.look();
        CHECK(found.verdict == scan_verdict::damaged);
        CHECK(found.position.newest == segment_seq{3});
    }
    SECTION("all") {
        for (std::uint64_t seq = 1; seq <= 3; ++seq) {
            stand.disk.remove(segment(seq));
        }
        const scan_result found = stand.look();
        CHECK(found.damage == replica::damage{.from = at(1), .end = std::nullopt});
    }
    CHECK_FALSE(stand.look().damage->end);
}

TEST_CASE("E.3 a bad batch in an older segment is DAMAGED if a later one needs what it had") {
    log_stand stand = long_log();
    stand.seal();
    overwrite_block(stand, 2, 3 * block_size);
    const scan_result found = stand.look();
    CHECK(found.damage ==
          replica::damage{.from = at(10), .end = replica::log_end{epoch{1}, at(18)}});
    CHECK(last_of(found) == 9);
}

TEST_CASE("B.8 damage that was repaired from there on is no damage any more") {
    log_stand stand = long_log();
    overwrite_block(stand, 2, 3 * block_size);
    stand.start();
    CHECK(stand.verdict == scan_verdict::damaged);
    stand.replace(stand.end(), 3, epoch{2});
    stand.run();
    CHECK(stand.newest().number == 4);
    CHECK(stand.look().verdict == scan_verdict::clean);
    CHECK(last_of(stand.look()) == 12);
}

TEST_CASE("E.3 stale bytes of a recycled file never parse") {
    log_stand stand = long_log();
    stand.planner().may_recycle({.floor = at(18), .flushed = at(18), .kept = {0, 0, 0}});
    stand.tend();
    // The first became a spare; the second was one too many.
    CHECK(stand.disk.has({.kind = file_kind::used_spare, .number = 4}));
    CHECK_FALSE(stand.disk.has(segment(1)));
    CHECK_FALSE(stand.disk.has(segment(2)));
    for (int i = 0; i < 4; ++i) {
        stand.write(1, epoch{1}, 3000);
    }
    REQUIRE(stand.newest().number == 4);
    CHECK_FALSE(stand.disk.has({.kind = file_kind::used_spare, .number = 4}));
    const scan_result found = stand.look();
    CHECK(found.verdict == scan_verdict::clean);
    CHECK(found.base.index == at(14));
    CHECK(last_of(found) == 22);
}

TEST_CASE("E.3 a batch that tore over stale bytes is cut") {
    log_stand stand = long_log();
    stand.planner().may_recycle({.floor = at(18), .flushed = at(18), .kept = {0, 0, 0}});
    stand.tend();
    for (int i = 0; i < 4; ++i) {
        stand.write(1, epoch{1}, 3000);
    }
    stand.add(3, epoch{1}, 3000);
    const auto job = *stand.planner().next();
    const auto& write = std::get<write_blocks>(job.front());
    const log_stand before = std::move(stand);
    for (unsigned kept = 0; kept < 7; ++kept) {
        log_stand torn{8 * block_size};
        torn.disk = before.disk;
        for (std::size_t i = 0; i < 3; ++i) {
            if ((kept >> i & 1U) != 0) {
                torn.disk.damage(write.file, write.offset + i * block_size,
                                 base::byte_view{write.bytes}.subspan(i * block_size, block_size));
            }
        }
        torn.start({.applied = torn.look().base, .config = nullptr});
        REQUIRE(torn.end().index == at(22));
        REQUIRE(torn.verdict == ((kept & 1U) != 0 ? scan_verdict::torn : scan_verdict::clean));
        torn.write(1);
        REQUIRE(torn.look().verdict == scan_verdict::clean);
        REQUIRE(last_of(torn.look()) == 23);
    }
}

TEST_CASE("E.3 a log of a newer version is refused, one of another cluster is damage") {
    log_stand stand = truncated_log();
    base::byte_vector block(stand.disk.bytes(segment(2)).begin(),
                            stand.disk.bytes(segment(2)).begin() + block_size);
    segment_header header = **decode_header(block);
    SECTION("version") {
        block[8] = std::byte{2};
        std::fill_n(block.begin() + 16, 8, std::byte{0});
        const std::uint64_t sum = base::xxh3_64(block);
        for (std::size_t i = 0; i < 8; ++i) {
            block[16 + i] = static_cast<std::byte>(sum >> (8 * i));
        }
        stand.disk.damage(segment(2), 0, block);
        CHECK(stand.scan().error().code == errc::unsupported);
    }
    SECTION("the name of another segment") {
        header.seq = segment_seq{7};
        stand.disk.damage(segment(2), 0, encode_header(header));
        CHECK(stand.look().verdict == scan_verdict::damaged);
    }
}

} // namespace almenara::storage::core
