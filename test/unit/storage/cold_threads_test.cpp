#include "state/overlay.hpp"
#include "state_stand.hpp"
#include "storage/apply_thread.hpp"
#include "storage/cold_reader.hpp"
#include "support/owner_loop.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What crosses between the owner of the state and the thread that fetches rows. Run with the
/// thread sanitizer.
namespace almenara::storage {

namespace {

using test::applied_at;
using test::open_state;
using test::put_row;
using test::row_dice;

/// Asks until nothing is missing; what is fetched comes between other things.
template <class Question, class Meanwhile>
auto asks(const state::overlay& over,
          cold_reader& reader,
          const Question& question,
          const Meanwhile& meanwhile) {
    state::inputs supplied;
    for (int round = 0;; ++round) {
        const state::base_look base{over.base(), supplied};
        const state::overlay::view seen{over, state::overlay::part::committed, base};
        auto answer = question(static_cast<const state::table_view&>(seen));
        if (base.missing().empty()) {
            return std::pair{std::move(answer), round};
        }
        supplied.keep(over.hold());
        bool is_there = false;
        reader.fetch(base.missing(), [&](result<state::inputs> found) {
            supplied.add(test::value_of(std::move(found)));
            is_there = true;
        });
        while (!is_there) {
            meanwhile();
        }
        REQUIRE(round < 20);
    }
}

} // namespace

TEST_CASE("architecture 2: cold rows are fetched beside the owner, also while base is written") {
    const test::temporary_directory place;
    test::owner_loop loop;
    // A cache that holds next to nothing.
    const state_db_options options{.write_buffer = 64U << 10U, .cache = 1U << 10U};
    state::memory_key_space model;
    row_dice luck{1};
    const auto first = luck.rows_of_all_keys();
    model.apply(applied_at(1), first);
    open_state(place / "state", options)->apply(applied_at(1), first);
    const auto db = open_state(place / "state", options);
    state::overlay over{*db};
    int fetched = 0;
    {
        apply_thread apply{*db, loop.poster(), [&over](const apply_thread::news& what) {
                               CHECK_FALSE(what.failure);
                               over.base_holds(what.applied, 5);
                           }};
        cold_reader reader{*db, loop.poster()};
        const auto grows = [&] {
            const std::uint64_t index = over.last().value() + 1;
            const auto changes = luck.changes(8);
            over.push(log_index{index}, changes);
            over.settle({.index = log_index{index}, .config = {}});
            model.apply({.index = log_index{index}}, changes);
            if (auto batch = over.take_for_base(log_index{index - luck.below(2)})) {
                std::vector<state::base_batch> group;
                group.push_back(std::move(*batch));
                apply.give(std::move(group));
            }
            over.forget(3);
            loop.run_ready();
        };
        for (int i = 0; i < 300; ++i) {
            grows();
            const std::string key = luck.key();
            const auto one = asks(
                over, reader, [&](const state::table_view& rows) { return rows.get(key); }, grows);
            REQUIRE(one.first == model.get(key));
            const auto range = luck.range();
            const auto limit = luck.limit();
            const auto several = asks(
                over, reader,
                [&](const state::table_view& rows) { return rows.scan(range, limit); }, grows);
            REQUIRE(several.first == model.scan(range, limit));
            fetched += one.second + several.second;
        }
    }
    CHECK(fetched > 0);
    CHECK_FALSE(db->failure());
}

TEST_CASE("E.1 a row that cannot be fetched is a failure, and a reader may end at any time") {
    const test::temporary_directory place;
    test::owner_loop loop;
    const auto db = open_state(place / "state");
    db->apply(applied_at(1), std::vector{put_row("a", "1")});
    std::filesystem::remove_all(place / "state");
    CHECK_FALSE(db->flush());
    std::optional<error> why;
    {
        cold_reader reader{*db, loop.poster()};
        reader.fetch({.rows = {"a"}, .ranges = {}},
                     [&why](const result<state::inputs>& found) { why = test::failure_of(found); });
        REQUIRE(loop.run_one());
        CHECK(why == db->failure());
        for (int i = 0; i < 100; ++i) {
            reader.fetch({.rows = {"a"}, .ranges = {}},
                         [](const result<state::inputs>&) { FAIL("nobody is there any more"); });
        }
    }
    loop.run_ready();
}

} // namespace almenara::storage
