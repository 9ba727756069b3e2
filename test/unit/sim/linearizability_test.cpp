#include "sim/check/linearizability.hpp"

#include "base/random.hpp"
#include "sim/check/history.hpp"
#include "unit/sim/told_history.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace almenara::sim::check {

namespace {

const std::string nothing;
constexpr std::size_t enough_steps = 100'000;

/// Both checkers must agree, where the one that believes the servers can see it at all.
struct checked : told_history {
    [[nodiscard]] std::string by_log() {
        check_order(found, log, all);
        return broken();
    }
    [[nodiscard]] verdict by_search() const { return search_order(all.operations(), enough_steps); }
};

} // namespace

TEST_CASE("I15 operations that overlap may come in either order") {
    checked run;
    run.wrote(2, put("a", "y"), 1, 9, 2);
    run.wrote(1, put("a", "x"), 0, 10, 3);
    run.read(3, "a", 5, 6, saw("y", 2, 2));
    run.read(3, "a", 11, 12, saw("x", 3, 3));
    CHECK(run.by_log() == nothing);
    CHECK(run.by_search() == verdict::linearizable);
}

TEST_CASE("I15 a stale read is found") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.wrote(1, put("a", "y"), 2, 3, 3);
    run.read(2, "a", 4, 5, saw("x", 2, 2));
    CHECK(run.by_log() == "I15");
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 a read of what was never written is found") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.read(2, "a", 4, 5, saw("z", 2, 2));
    CHECK(run.by_log() == "I15");
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 a confirmed write that was lost is found") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.read(2, "a", 2, 3, saw_nothing(1));
    CHECK(run.by_log() == "I15");
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 two that both swapped the same version are found") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.wrote(2, cas("a", 2, "y"), 2, 5, 3);
    run.wrote(3, cas("a", 2, "z"), 3, 6, 4);
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 a refusal that had no reason is found") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.heard(2, cas("a", 2, "y"), 2, 3,
              {.code = outcome::conflict, .index = log_index{3}, .version = log_index{2}});
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 a condition on what is not there is answered NOT_FOUND") {
    checked run;
    run.heard(2, cas("a", 7, "y"), 2, 3, saw_nothing(3));
    CHECK(run.by_search() == verdict::linearizable);
    run.wrote(1, put("b", "x"), 4, 5, 4);
    run.heard(2, cas("b", 7, "y"), 6, 7, saw_nothing(5));
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 an add that is missing from a sum is found") {
    checked run;
    run.heard(1, add("n", 5), 0, 1, sum("5", 2));
    run.heard(2, add("n", 3), 2, 3, sum("3", 3));
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 what nobody heard of may have happened, early, late or never") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.unheard(2, put("a", "y"), 2);
    SECTION("never") {
        run.read(3, "a", 4, 5, saw("x", 2, 2));
    }
    SECTION("early") {
        run.committed_at(3);
        run.read(3, "a", 4, 5, saw("y", 3, 3));
        run.read(3, "a", 6, 7, saw("y", 3, 3));
    }
    SECTION("late") {
        run.committed_at(3);
        run.read(3, "a", 4, 5, saw("x", 2, 2));
        run.read(3, "a", 6, 7, saw("y", 3, 3));
    }
    CHECK(run.by_log() == nothing);
    CHECK(run.by_search() == verdict::linearizable);
}

TEST_CASE("I15 what nobody heard of does not come and go") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.unheard(2, put("a", "y"), 2);
    run.committed_at(3);
    run.read(3, "a", 4, 5, saw("y", 3, 3));
    run.read(4, "a", 6, 7, saw("x", 2, 2));
    CHECK(run.by_log() == "I15");
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 what nobody heard of was not there before it was asked") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.read(3, "a", 2, 3, saw("y", 3, 3));
    run.unheard(2, put("a", "y"), 4);
    run.committed_at(3);
    CHECK(run.by_log() == "I15");
    CHECK(run.by_search() == verdict::broken);
}

TEST_CASE("I15 a version that only a read told of counts for a condition") {
    checked run;
    run.unheard(1, put("a", "x"), 0);
    run.committed_at(2);
    run.read(2, "a", 2, 3, saw("x", 2, 2));
    run.wrote(2, cas("a", 2, "y"), 4, 5, 3);
    CHECK(run.by_log() == nothing);
    CHECK(run.by_search() == verdict::linearizable);
}

TEST_CASE("I15 a version that only a CONFLICT told of counts for a condition") {
    checked run;
    run.unheard(1, put("a", "x"), 0);
    run.committed_at(2);
    run.heard(2, cas("a", 0, "y"), 2, 3,
              {.code = outcome::conflict, .index = log_index{3}, .version = log_index{2}});
    run.committed_at(3);
    SECTION("it holds") {
        run.wrote(2, cas("a", 2, "z"), 4, 5, 4);
    }
    SECTION("nobody hears that it holds, but its value is read") {
        run.unheard(2, cas("a", 2, "z"), 4);
        run.committed_at(4);
        run.read(3, "a", 6, 7, saw("z", 4, 4));
    }
    CHECK(run.by_log() == nothing);
    CHECK(run.by_search() == verdict::linearizable);
}

TEST_CASE("I15 an uncertain condition that did not hold changed nothing") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.unheard(2, cas("a", 7, "z"), 2);
    run.committed_at(3);
    SECTION("nor did it") {
        run.read(3, "a", 4, 5, saw("x", 2, 3));
        CHECK(run.by_log() == nothing);
        CHECK(run.by_search() == verdict::linearizable);
    }
    SECTION("but it did") {
        run.read(3, "a", 4, 5, saw("z", 3, 3));
        CHECK(run.by_log() == "I15");
        CHECK(run.by_search() == verdict::broken);
    }
}

TEST_CASE("I15 a removed key is gone until it is written again") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.wrote(1, remove("a"), 2, 3, 3);
    SECTION("gone") {
        run.read(2, "a", 4, 5, saw_nothing(3));
        CHECK(run.by_log() == nothing);
        CHECK(run.by_search() == verdict::linearizable);
    }
    SECTION("still there") {
        run.read(2, "a", 4, 5, saw("x", 2, 3));
        CHECK(run.by_log() == "I15");
        CHECK(run.by_search() == verdict::broken);
    }
}

TEST_CASE("I16 a client that sees less than before is found") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.wrote(1, put("a", "y"), 2, 20, 3);
    run.read(2, "a", 4, 5, saw("y", 3, 3));
    run.read(2, "b", 6, 7, saw_nothing(2));
    CHECK(run.by_log() == "I16");
}

TEST_CASE("I15 the log is in the order of time for different keys too") {
    checked run;
    run.wrote(1, put("b", "y"), 4, 5, 2);
    run.wrote(2, put("a", "x"), 0, 1, 3);
    CHECK(run.by_log() == "I15");
}

TEST_CASE("I15 the search gives up when its steps are used up, and says so") {
    checked run;
    for (unsigned i = 0; i < 12; ++i) {
        run.unheard(i, put("a", "v" + std::to_string(i)), 0);
    }
    run.read(1, "a", 5, 6, saw("never", 3, 3));
    CHECK(search_order(run.all.operations(), 50) == verdict::unknown);
}

/// A register that is executed one operation at a time, with answers that take their time: always
/// linearizable. Then one answer is falsified.
TEST_CASE("I15 long runs of a true register pass, and one wrong answer in them is found") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        base::generator random{seed};
        checked run;
        key_values state;
        history falsified;
        const auto wrong = random.below(200);
        for (std::uint64_t i = 0; i < 400; ++i) {
            const auto client = static_cast<unsigned>(random.below(4));
            const auto index = i + 2;
            request what{.what = verb::get, .key = "a"};
            if (random.chance(1, 2)) {
                what = put("a", "v" + std::to_string(i));
            }
            reply told = execute(state, what, log_index{index});
            const auto moment = static_cast<std::int64_t>(10 * i);
            const auto early = static_cast<std::int64_t>(random.below(30));
            const auto late = static_cast<std::int64_t>(random.below(30));
            operation asked{.client = client_number{client},
                            .request = what,
                            .called = told_history::at(moment - early)};
            falsified.returned(falsified.called(asked), told_history::at(moment + late), told);
            if (i >= wrong && what.what == verb::get && told.code == outcome::done) {
                told.value = "never written";
            }
            run.all.returned(run.all.called(asked), told_history::at(moment + late), told);
        }
        CHECK(search_order(falsified.operations(), enough_steps) == verdict::linearizable);
        CHECK(search_order(run.all.operations(), enough_steps) == verdict::broken);
    }
}

TEST_CASE("I15 an order is judged as it stands") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 3, 2);
    run.wrote(2, put("a", "y"), 1, 4, 3);
    run.read(3, "a", 5, 6, saw("y", 3, 3));
    const auto& right = run.all.operations();
    CHECK(explains(right));
    CHECK_FALSE(explains({right[1], right[0], right[2]})); // the read saw the other one
    CHECK_FALSE(explains({right[2], right[0], right[1]})); // it came later
}

TEST_CASE("I15 what nobody heard of may have changed nothing") {
    checked run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.unheard(2, cas("a", 7, "y"), 2);
    run.read(3, "a", 4, 5, saw("x", 2, 2));
    CHECK(explains(run.all.operations()));
}

TEST_CASE("I15 keys are counted by whether their order is known") {
    told_history run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    SECTION("by the log's own order") {
        const auto orders = search_orders(run.found, run.log, run.all, 0);
        CHECK(orders.found == 1);
        CHECK(orders.unknown == 0);
    }
    SECTION("by no step at all") {
        run.read(2, "a", 2, 3, saw_nothing(1));
        const auto orders = search_orders(run.found, run.log, run.all, 0);
        CHECK(orders.unknown == 1);
        CHECK(run.broken() == nothing);
    }
    SECTION("there is none") {
        run.read(2, "a", 2, 3, saw_nothing(1));
        static_cast<void>(search_orders(run.found, run.log, run.all, enough_steps));
        CHECK(run.broken() == "I15");
    }
}

TEST_CASE("I16 a question that was refused saw nothing") {
    told_history run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.read(1, "", 2, 3, {.code = outcome::refused});
    check_order(run.found, run.log, run.all);
    CHECK(run.broken() == nothing);
}

} // namespace almenara::sim::check
