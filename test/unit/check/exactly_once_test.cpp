#include "support/check/exactly_once.hpp"

#include "support/check/told.hpp"

#include <catch2/catch_all.hpp>

namespace almenara::test::check {

namespace {

value_row row(const std::string& value, std::uint64_t index) {
    return {.value = value, .version = log_index{index}};
}

/// Two puts of their own keys, of which one is confirmed; adds of which one is not.
told_operations a_run() {
    told_operations run;
    run.heard(1, put("u1", "one"), 0, 1, done(2));
    run.unheard(2, put("u2", "two"), 0);
    run.heard(1, add("n", 5), 2, 3, sum("5", 3));
    run.heard(1, add("n", 2), 4, 5, sum("7", 4));
    run.unheard(1, add("n", 4), 6);
    return run;
}

key_values a_good_end() {
    return {{"u1", row("one", 2)}, {"n", row("7", 4)}};
}

void check_nothing_found(const end_of_all& is) {
    CAPTURE(is.examples);
    CHECK(is.lost == 0);
    CHECK(is.twice == 0);
    CHECK(is.invented == 0);
}

} // namespace

TEST_CASE("I12 what was confirmed is there, what nobody heard of may be") {
    const auto run = a_run();
    auto rows = a_good_end();
    check_nothing_found(settle(run.all, rows));
    rows["u2"] = row("two", 5);
    rows["n"] = row("11", 6);
    check_nothing_found(settle(run.all, rows));
    CHECK(settle(run.all, rows).confirmed == 3);
    CHECK(settle(run.all, rows).unknown == 2);
}

TEST_CASE("I12 what was confirmed and is not there is lost") {
    const auto run = a_run();
    auto rows = a_good_end();
    SECTION("a put") {
        rows.erase("u1");
    }
    SECTION("an add") {
        rows["n"] = row("5", 3);
    }
    SECTION("all adds") {
        rows.erase("n");
    }
    CHECK(settle(run.all, rows).lost == 1);
    CHECK(settle(run.all, rows).examples.size() == 1);
}

TEST_CASE("I13 what took effect twice is found") {
    auto run = a_run();
    auto rows = a_good_end();
    SECTION("a put stands at another entry than the confirmed one") {
        rows["u1"] = row("one", 9);
    }
    SECTION("a sum is larger than all that was asked for") {
        rows["n"] = row("12", 9);
    }
    SECTION("two writes were told the same entry") {
        run.heard(3, put("u3", "three"), 0, 1, done(2));
        rows["u3"] = row("three", 2);
    }
    CHECK(settle(run.all, rows).twice == 1);
}

TEST_CASE("I12 what nobody asked for is found") {
    const auto run = a_run();
    auto rows = a_good_end();
    SECTION("a key") {
        rows["u9"] = row("nine", 9);
    }
    SECTION("a value") {
        rows["u1"] = row("uno", 2);
    }
    CHECK(settle(run.all, rows).invented == 1);
}

TEST_CASE("I27 a refused write is not there") {
    told_operations run;
    run.heard(1, put("bad", "x"), 0, 1, {.code = outcome::refused});
    check_nothing_found(settle(run.all, {}));
    CHECK(settle(run.all, {{"bad", row("x", 2)}}).invented == 1);
}

} // namespace almenara::test::check
