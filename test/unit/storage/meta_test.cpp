#include "storage/core/meta.hpp"

#include "storage/core/meta_writer.hpp"
#include "support/log_stand.hpp"

#include <catch2/catch_all.hpp>

// B.1: what was promised is never forgotten, whatever happens to one of the two slots.
namespace almenara::storage::core {

namespace {

constexpr file_name meta_file{.kind = file_kind::meta};

replica::meta_record record_of(std::uint64_t number) {
    return {.number = replica::meta_number{number}, .fields = {.epoch = epoch{number}}};
}

epoch epoch_on(const test::log_stand& stand) {
    return stand.meta()->content.fields.core.epoch;
}

/// One bit somewhere in the slot.
void rot(test::log_stand& stand, std::uint64_t slot) {
    stand.disk.flip(meta_file, (slot * block_size + 30) * 8);
}

} // namespace

TEST_CASE("B.1 a start leaves nothing of the end before it: both slots say the same") {
    test::log_stand stand;
    stand.start();
    stand.stop();
    REQUIRE(stand.meta()->content.fields.clean_stop);
    stand.start();
    for (std::uint64_t slot = 0; slot < meta_slots; ++slot) {
        CAPTURE(slot);
        const test::block_device kept = stand.disk;
        rot(stand, slot);
        REQUIRE(stand.meta().has_value());
        CHECK_FALSE(stand.meta()->content.fields.clean_stop);
        stand.disk = kept;
    }
}

TEST_CASE("B.1 meta_slot_rots: each slot in turn rots after a promise, and it is not forgotten") {
    const auto slot = GENERATE(0U, 1U);
    const auto changes = GENERATE(1U, 2U, 3U);
    test::log_stand stand;
    stand.start();
    for (std::uint64_t i = 1; i <= changes; ++i) {
        stand.planner().queue(record_of(i));
        CHECK(stand.run().meta == replica::meta_number{i});
    }
    rot(stand, slot);
    CHECK(epoch_on(stand) == epoch{changes});
    stand.start(); // Rewrites: the other one may rot now.
    rot(stand, 1 - slot);
    CHECK(epoch_on(stand) == epoch{changes});
}

TEST_CASE("B.1 a change is told when one slot is synced, and copied before the next one starts") {
    test::log_stand stand;
    stand.start();
    stand.planner().queue(record_of(1));
    stand.disk.execute(*stand.planner().next());
    CHECK(stand.planner().finished().meta == replica::meta_number{1});
    stand.planner().queue(record_of(2));
    stand.disk.execute(*stand.planner().next());
    CHECK(stand.planner().finished() == disk_answer{}); // The copy.
    const auto& bytes = stand.disk.bytes(meta_file);
    CHECK(std::equal(bytes.begin(), bytes.begin() + block_size, bytes.begin() + block_size));
    stand.disk.execute(*stand.planner().next());
    CHECK(stand.planner().finished().meta == replica::meta_number{2});
}

TEST_CASE("B.1 power lost in any write of meta leaves the record before or the new one") {
    for (std::uint64_t seed = 0; seed < 64; ++seed) {
        base::generator luck{seed};
        test::log_stand stand;
        stand.start();
        stand.planner().queue(record_of(1));
        stand.run();
        stand.planner().queue(record_of(2));
        bool told = false;
        for (std::uint64_t steps = luck.below(5); steps > 0; --steps) {
            const auto job = stand.planner().next();
            if (!job) {
                break;
            }
            stand.disk.execute(job->front()); // The write; the sync does not come any more.
            if (steps == 1) {
                break;
            }
            stand.disk.execute(*job);
            told = stand.planner().finished().meta.has_value() || told;
        }
        stand.disk.lose_power(luck);
        CHECK((epoch_on(stand) == epoch{2} || (!told && epoch_on(stand) == epoch{1})));
    }
}

TEST_CASE("B.1 a torn slot is one that nobody saw") {
    test::log_stand stand;
    stand.start();
    stand.planner().queue(record_of(1));
    stand.run();
    const base::byte_vector before = stand.disk.bytes(meta_file);
    stand.planner().queue(record_of(2));
    const auto job = *stand.planner().next();
    const auto& write = std::get<write_blocks>(job.front());
    for (std::size_t length = 0; length < block_size; length += 7) {
        base::byte_vector torn = before;
        std::copy_n(write.bytes.begin(), length,
                    torn.begin() + static_cast<std::ptrdiff_t>(write.offset));
        const auto chosen = choose_slot(torn);
        REQUIRE(chosen.has_value());
        const bool whole = std::equal(write.bytes.begin(), write.bytes.end(),
                                      torn.begin() + static_cast<std::ptrdiff_t>(write.offset));
        REQUIRE(chosen->content.fields.core.epoch == epoch{whole ? 2U : 1U});
    }
}

TEST_CASE("B.1 both slots unreadable: this server must not vote, and says what to do") {
    test::log_stand stand;
    stand.start();
    rot(stand, 0);
    rot(stand, 1);
    const auto chosen = stand.meta();
    REQUIRE_FALSE(chosen.has_value());
    CHECK(chosen.error().code == errc::malformed);
    CHECK(chosen.error().message().find("add it again") != std::string::npos);
    CHECK_FALSE(choose_slot({}).has_value());
}

TEST_CASE("B.1 two records of one generation that differ are refused") {
    base::byte_vector file = encode_slot({.generation = meta_generation{4}, .fields = {}});
    meta_fields other;
    other.core.epoch = epoch{9};
    const base::byte_vector second =
        encode_slot({.generation = meta_generation{4}, .fields = other});
    file.insert(file.end(), second.begin(), second.end());
    CHECK_FALSE(choose_slot(file).has_value());
}

TEST_CASE("B.1 a start writes and syncs what it read before it is believed") {
    test::log_stand stand;
    stand.start();
    stand.planner().queue(record_of(1));
    stand.run();
    stand.planner().queue(record_of(2));
    stand.disk.execute(stand.planner().next()->front()); // Killed: the page cache has it.
    stand.start();
    stand.disk.lose_all_unsynced();
    CHECK(epoch_on(stand) == epoch{2});
}

TEST_CASE("B.1 the copy of a change lets one batch pass, and no more") {
    test::log_stand stand;
    stand.start();
    stand.write(1);
    stand.planner().queue(record_of(1));
    const auto first = stand.add(1);
    stand.disk.execute(*stand.planner().next());
    CHECK(stand.planner().finished().meta == replica::meta_number{1});
    stand.disk.execute(*stand.planner().next());
    CHECK(stand.planner().finished().log == first);
    const auto second = stand.add(1);
    stand.disk.execute(*stand.planner().next());
    CHECK(stand.planner().finished() == disk_answer{});
    stand.disk.execute(*stand.planner().next());
    CHECK(stand.planner().finished().log == second);
}

} // namespace almenara::storage::core
