#include "storage/core/reconcile.hpp"

#include "support/log_stand.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

// B.8: the log, `meta` and the state are brought together.
namespace almenara::storage::core {

namespace {

using test::log_stand;

constexpr log_index at(std::uint64_t i) {
    return log_index{i};
}

boot_id boot_of(std::uint8_t number) {
    boot_id::rep bytes{};
    bytes[0] = std::byte{number};
    return boot_id{bytes};
}

log_stand five_entries() {
    log_stand stand;
    stand.start();
    stand.write(3);
    stand.write(2);
    return stand;
}

/// How a log goes on that was once longer.
replica::log_point behind(replica::log_point point, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        point = replica::point_of(*test::entry_behind(point, epoch{1}, 20));
    }
    return point;
}

} // namespace

TEST_CASE("B.8 a state within the log: the log is given as it is") {
    log_stand stand = five_entries();
    const replica::log_point applied = stand.look().positions[2];
    reconciled found = stand.start({.applied = applied, .config = nullptr});
    CHECK(found.applied == at(3));
    CHECK(found.positions.size() == 5);
    CHECK(found.recent.size() == 2);
    CHECK_FALSE(found.log_given_up);
    replica::start_state start;
    std::move(found).give_to(start);
    CHECK(start.positions.size() == 5);
    CHECK(start.applied == at(3));
}

TEST_CASE("B.8 state_ahead_of_log: the state is the snapshot, and the log begins behind it") {
    log_stand stand = five_entries();
    const replica::log_point applied = behind(stand.end(), 4);
    const reconciled found = stand.start(
        {.applied = applied, .config = nullptr, .time = wall_time{std::chrono::seconds{7}}});
    CHECK(found.time_at_base == wall_time{std::chrono::seconds{7}});
    CHECK(found.log_given_up);
    CHECK(found.base == applied);
    CHECK(found.positions.empty());
    CHECK(found.recent.empty());
    CHECK_FALSE(found.found_damaged);
    CHECK_FALSE(stand.planner().map().find(at(2)));

    // A start without a write finds the same again; with one the old segments are void.
    CHECK(stand.start({.applied = applied, .config = nullptr}).base == applied);
    stand.write(2);
    const reconciled later = stand.start({.applied = applied, .config = nullptr});
    CHECK_FALSE(later.log_given_up);
    CHECK(later.base == applied);
    CHECK(later.positions.size() == 2);
    CHECK_FALSE(later.found_damaged);
    CHECK(stand.verdict == scan_verdict::clean);
}

TEST_CASE("B.8 a log that is damaged below the state keeps its damage, with the same end") {
    log_stand stand = five_entries();
    stand.seal();
    const replica::log_point applied = stand.look().positions[3];
    const base::byte_vector rubbish(block_size, std::byte{0x5a});
    stand.disk.damage(stand.newest(), block_size, rubbish);
    const reconciled found = stand.start({.applied = applied, .config = nullptr});
    CHECK(found.base == applied);
    CHECK(found.found_damaged ==
          replica::damage{.from = at(1), .end = replica::log_end{epoch{1}, at(5)}});
}

TEST_CASE("B.8 a state that the log contradicts: damaged, its end unknown") {
    log_stand stand = five_entries();
    const replica::log_point other{.index = at(4), .epoch = epoch{1}, .hash = replica::hash64{77}};
    const reconciled found = stand.start({.applied = other, .config = nullptr});
    CHECK(found.base == other);
    CHECK(found.found_damaged == replica::damage{.from = at(5), .end = std::nullopt});
}

TEST_CASE("B.8 a state that is older than what is left of a whole log is refused") {
    log_stand stand = five_entries();
    stand.start({.applied = behind(stand.end(), 4), .config = nullptr});
    stand.write(2);
    const auto refused = stand.try_start({.applied = behind({}, 2), .config = nullptr});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::not_found);
    CHECK_FALSE(refused.error().advice.empty());
}

TEST_CASE(
    "E.3 B.8 an oldest segment that cannot be read is damage if the state lacks its entries") {
    log_stand stand{8 * block_size};
    stand.start();
    for (int i = 0; i < 18; ++i) {
        stand.write(1, epoch{1}, 3000);
    }
    const replica::log_point applied = stand.look().positions[2];
    stand.disk.flip(segment_file_name(segment_seq{1}), 100 * 8);
    const auto found = stand.try_start({.applied = applied, .config = nullptr});
    REQUIRE(found.has_value());
    CHECK(stand.verdict == scan_verdict::damaged);
    CHECK(found->found_damaged == replica::damage{.from = at(4), .end = std::nullopt});
    CHECK(found->base == applied);
    CHECK(found->log_given_up);
    // Until it is repaired it is found again; then the old segments are void.
    CHECK(stand.start({.applied = applied, .config = nullptr}).found_damaged.has_value());
    stand.write(2);
    CHECK(stand.start({.applied = applied, .config = nullptr}).positions.size() == 2);
    CHECK(stand.verdict == scan_verdict::clean);
}

TEST_CASE("B.8 the config of the state stands in where the log has it no more") {
    log_stand stand = five_entries();
    const replica::log_point applied = behind(stand.end(), 4);
    const auto config = test::entry_behind({}, epoch{1}, 3, replica::entry_type::config);
    const reconciled found = stand.start({.applied = applied, .config = config});
    REQUIRE(found.configs.size() == 1);
    CHECK(found.configs.front() == config);
}

TEST_CASE("B.1 an unclean boot: another boot of the machine, and no clean stop") {
    log_stand stand = five_entries();
    CHECK_FALSE(stand.start().unclean_boot); // kill -9: the same boot.
    SECTION("power lost") {
        stand.boot = boot_of(1);
        CHECK(stand.start().unclean_boot);
    }
    SECTION("stopped, then the machine was started again") {
        stand.stop();
        stand.boot = boot_of(1);
        CHECK_FALSE(stand.start().unclean_boot);
        // The mark is taken away by the start that saw it.
        stand.boot = boot_of(2);
        CHECK(stand.start().unclean_boot);
    }
}

} // namespace almenara::storage::core
