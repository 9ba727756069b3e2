#include "support/check/orders.hpp"

#include "support/check/told.hpp"

#include <catch2/catch_all.hpp>

/// The checkers of runs with real servers see what they are for.
namespace almenara::test::check {

namespace {

constexpr std::size_t enough_steps = 100'000;

orders orders_of(const told_operations& run) {
    return find_orders(run.all, enough_steps);
}

} // namespace

TEST_CASE("I15 what several keys held has an order each") {
    told_operations run;
    run.heard(1, put("a", "x"), 0, 10, done(3));
    run.heard(2, put("a", "y"), 2, 9, done(2));
    run.heard(3, cas("b", 0, "z"), 0, 1, done(4));
    run.read(3, "a", 5, 6, saw("y", 2, 2));
    run.read(3, "a", 11, 12, saw("x", 3, 4));
    CHECK(orders_of(run).broken.empty());
    CHECK(orders_of(run).keys_in_order == 2);
}

TEST_CASE("I15 one key without an order is found among others") {
    told_operations run;
    run.heard(1, put("a", "x"), 0, 1, done(2));
    run.heard(1, put("b", "x"), 0, 1, done(3));
    run.heard(1, put("a", "y"), 2, 3, done(4));
    SECTION("a stale read") {
        run.read(2, "a", 4, 5, saw("x", 2, 2));
    }
    SECTION("a stale read that claims to rest on the newest state") {
        run.read(2, "a", 4, 5, saw("x", 2, 4));
    }
    SECTION("a lost write") {
        run.read(2, "a", 4, 5, saw_nothing(4));
    }
    SECTION("a value that nobody wrote") {
        run.read(2, "a", 4, 5, saw("w", 4, 4));
    }
    SECTION("two that swapped the same version") {
        run.heard(2, cas("a", 4, "p"), 4, 6, done(5));
        run.heard(3, cas("a", 4, "q"), 5, 7, done(6));
    }
    SECTION("a value that comes back") {
        run.read(2, "a", 2, 3, saw("x", 2, 3));
        run.read(2, "a", 4, 5, saw("y", 4, 4));
        run.read(2, "a", 6, 7, saw("x", 2, 5));
    }
    CHECK(orders_of(run).broken.size() == 1);
    CHECK(orders_of(run).keys_in_order == 1);
}

TEST_CASE("I15 an order that the servers' indexes hide is still searched for") {
    told_operations run;
    run.heard(1, put("a", "x"), 0, 10, done(9));
    run.heard(2, put("a", "y"), 0, 10, done(8));
    run.read(3, "a", 11, 12, saw("y", 8, 20));
    CHECK(orders_of(run).broken.empty());
    // It costs steps, and says so when there are too few of them.
    CHECK(find_orders(run.all, 1).keys_unknown == 1);
}

TEST_CASE("I15 a write that nobody heard of may be seen by a read, or not") {
    told_operations run;
    run.heard(1, put("a", "x"), 0, 1, done(2));
    run.unheard(2, put("a", "y"), 2);
    SECTION("seen") {
        run.read(3, "a", 3, 4, saw("y", 3, 3));
    }
    SECTION("late") {
        run.read(3, "a", 3, 4, saw("x", 2, 3));
        run.read(3, "a", 5, 6, saw("y", 5, 5));
    }
    SECTION("never") {
        run.read(3, "a", 3, 4, saw("x", 2, 3));
    }
    CHECK(orders_of(run).broken.empty());
}

TEST_CASE("I15 a write that nobody heard of cannot come and go") {
    told_operations run;
    run.heard(1, put("a", "x"), 0, 1, done(2));
    run.unheard(2, put("a", "y"), 2);
    run.read(3, "a", 3, 4, saw("y", 3, 3));
    run.read(3, "a", 5, 6, saw("x", 2, 4));
    CHECK(orders_of(run).broken.size() == 1);
}

TEST_CASE("I15 a history of thousands of operations on a key takes no search") {
    told_operations run;
    for (int i = 0; i < 5000; ++i) {
        const auto index = static_cast<std::uint64_t>(i) + 1;
        const auto value = std::to_string(i);
        run.heard(1, put("a", value), i, i + 20, done(index));
        run.read(2, "a", i + 21, i + 30, saw(value, index, index));
        i += 21; // Whoever reads reads the newest.
    }
    CHECK(find_orders(run.all, 0).keys_in_order == 1);
}

TEST_CASE("I16 an answer that rests on less than an earlier one is found") {
    told_operations run;
    run.heard(1, put("a", "x"), 0, 1, done(7));
    SECTION("a read of another key") {
        run.read(2, "b", 2, 3, saw_nothing(6));
        CHECK(find_stale(run.all).reads == 1);
        CHECK(find_stale(run.all).writes == 0);
    }
    SECTION("a write of another key") {
        run.heard(2, put("b", "y"), 2, 3, done(6));
        CHECK(find_stale(run.all).writes == 1);
    }
    CHECK(find_stale(run.all).examples.size() == 1);
}

TEST_CASE("I19 an answer of a deposed primary is found") {
    told_operations run;
    run.epoch = epoch{5};
    run.heard(1, put("a", "x"), 0, 1, done(7));
    run.epoch = epoch{4};
    run.read(2, "a", 2, 3, saw("x", 7, 7));
    CHECK(find_stale(run.all).reads == 1);
}

TEST_CASE("I16 answers that overlap may rest on anything") {
    told_operations run;
    run.epoch = epoch{5};
    run.heard(1, put("a", "x"), 0, 4, done(7));
    run.epoch = epoch{4};
    run.read(2, "a", 4, 5, saw_nothing(6));
    run.heard(3, put("", ""), 6, 7, {.code = outcome::refused});
    CHECK(find_stale(run.all).reads == 0);
    CHECK(find_stale(run.all).writes == 0);
}

} // namespace almenara::test::check
