#include "state/overlay.hpp"
#include "state_stand.hpp"
#include "storage/apply_thread.hpp"
#include "support/owner_loop.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What crosses between the owner of the state and the thread that writes it. Run with the thread
/// sanitizer.
namespace almenara::storage {

namespace {

using test::applied_at;
using test::open_state;
using test::put_row;
using test::row_dice;

state::base_batch batch_of(std::uint64_t index, std::vector<state::change> changes) {
    state::base_batch batch{.upto = applied_at(index), .changes = std::move(changes), .entries = 1};
    for (const state::change& what : batch.changes) {
        batch.bytes += what.key.size() + what.bytes.size();
    }
    return batch;
}

std::vector<state::base_batch> group_of(state::base_batch one) {
    std::vector<state::base_batch> group;
    group.push_back(std::move(one));
    return group;
}

/// A state with its thread, as a driver has it.
class stand {
  public:
    explicit stand(const state_db_options& options = test::fetching())
        : db(open_state(place / "state", options)) {
        starts();
    }

    void starts(std::chrono::steady_clock::duration flush_after = apply_thread::flush_after) {
        const auto hear = [this](const apply_thread::news& what) {
            CHECK(what.applied >= applied);
            applied = what.applied;
            flushed = std::max(flushed, what.flushed);
            if (what.failure) {
                failure = what.failure;
            }
        };
        apply.emplace(*db, loop.poster(), hear, flush_after);
    }

    void until(log_index index) {
        while (applied < index && !failure) {
            REQUIRE(loop.run_one());
        }
    }

    test::temporary_directory place;
    test::owner_loop loop;
    std::unique_ptr<state_db> db;
    log_index applied;
    log_index flushed;
    std::optional<error> failure;
    std::optional<apply_thread> apply; ///< ends first
};

} // namespace

TEST_CASE("architecture 6: batches are applied in order beside the owner, which is told") {
    stand s;
    state::memory_key_space model;
    row_dice luck{1};
    for (std::uint64_t index = 1; index <= 300; ++index) {
        auto changes = luck.changes(10);
        model.apply(applied_at(index), changes);
        s.apply->give(group_of(batch_of(index, std::move(changes))));
    }
    CHECK(s.apply->behind().entries <= 300);
    s.until(log_index{300});
    CHECK(s.apply->behind().entries == 0);
    CHECK(s.apply->behind().bytes == 0);
    CHECK(s.db->applied() == applied_at(300));
    CHECK(test::all_rows(*s.db) == test::all_rows(model));
}

TEST_CASE("architecture 6: how far the thread is behind is known, and when that is too much") {
    stand s;
    for (std::uint64_t index = 1; !s.apply->is_full(); ++index) {
        s.apply->give(group_of(batch_of(index, {put_row("a", std::string(1U << 20U, 'x'))})));
        REQUIRE(index <= 64);
    }
    CHECK(s.apply->behind().bytes >= apply_thread::most_behind.bytes);
    CHECK(s.apply->behind().entries == 64);
    s.until(log_index{64});
    CHECK_FALSE(s.apply->is_full());
}

TEST_CASE("B.4 what is read through the overlay never shows that base is on its way") {
    stand s{{.write_buffer = 64U << 10U, .flush_entries = 40, .cold = cold_rows::are_fetched}};
    state::overlay over{*s.db};
    state::memory_key_space model;
    row_dice luck{2};
    log_index told;
    for (std::uint64_t index = 1; index <= 600; ++index) {
        const auto changes = luck.changes(8);
        const state::applied_row where = applied_at(index);
        model.apply(where, changes);
        over.push(log_index{index}, changes);
        over.settle({.index = where.index, .epoch = where.epoch, .hash = where.hash, .config = {}});
        if (luck.below(3) == 0) {
            if (auto batch = over.take_for_base(log_index{index - luck.below(2)})) {
                s.apply->give(group_of(std::move(*batch)));
            }
        }
        s.loop.run_ready();
        if (s.applied > told) {
            told = s.applied;
            over.base_holds(told, 3);
        }
        over.forget(1);
        const std::string key = luck.key();
        REQUIRE(over.committed_view().get(key) == model.get(key));
        const auto range = luck.range();
        const auto limit = luck.limit();
        REQUIRE(over.whole_view().scan(range, limit) == model.scan(range, limit));
    }
    while (const auto rest = over.take_for_base(log_index{600})) {
        s.apply->give(group_of(*rest));
    }
    s.until(log_index{600});
    over.base_holds(s.applied);
    CHECK(over.size() == 0);
    CHECK(test::all_rows(*s.db) == test::all_rows(model));
}

TEST_CASE("B.8 the owner is told what is in files, for the log that may go") {
    stand s{{.flush_entries = 20, .cold = cold_rows::are_fetched}};
    for (std::uint64_t index = 1; index <= 50; ++index) {
        s.apply->give(group_of(batch_of(index, {put_row("a", "1")})));
        s.until(log_index{index});
    }
    while (s.flushed < log_index{40}) {
        REQUIRE(s.loop.run_one());
    }
    CHECK(s.flushed <= log_index{50});
    const auto after = open_state(test::crash_image(s.place / "state", s.place / "image"));
    CHECK(after->applied().index >= s.flushed);
}

TEST_CASE("B.8 what little was written is in files after a while") {
    stand s;
    s.starts(std::chrono::milliseconds{20});
    for (const std::uint64_t index : {1U, 2U, 3U}) {
        s.apply->give(group_of(batch_of(index, {put_row("a", "1")})));
        while (s.flushed < log_index{index}) {
            REQUIRE(s.loop.run_one());
        }
    }
    const auto after = open_state(test::crash_image(s.place / "state", s.place / "image"));
    CHECK(after->applied().index == log_index{3});
}

TEST_CASE("B.8 a thread that ends in the middle leaves some whole batch") {
    stand s;
    row_dice luck{3};
    std::vector<std::vector<state::change>> log;
    state::memory_key_space model;
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < 40; ++i) {
            log.push_back(luck.changes(10));
            s.apply->give(group_of(batch_of(log.size(), log.back())));
        }
        s.apply.reset();
        s.loop.run_ready(); // What is still posted finds nobody.
        s.db.reset();
        s.db = open_state(s.place / "state", test::fetching());
        const std::uint64_t reached = s.db->applied().index.value();
        REQUIRE(reached <= log.size());
        for (auto at = model.applied().index.value() + 1; at <= reached; ++at) {
            model.apply(applied_at(at), log[at - 1]);
        }
        CHECK(test::all_rows(*s.db) == test::all_rows(model));
        log.resize(reached);
        s.starts();
    }
}

TEST_CASE("E.1 the thread tells of the first failure and does nothing more") {
    stand s;
    s.apply->give(group_of(batch_of(1, {put_row("a", "1")})));
    s.until(log_index{1});
    std::filesystem::remove_all(s.place / "state");
    CHECK_FALSE(s.db->flush());
    s.apply->give(group_of(batch_of(2, {put_row("a", "2")})));
    while (!s.failure) {
        REQUIRE(s.loop.run_one());
    }
    CHECK(s.applied == log_index{1});
    CHECK_FALSE(s.db->look("a"));
}

} // namespace almenara::storage
