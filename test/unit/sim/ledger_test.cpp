#include "sim/check/ledger.hpp"

#include "unit/sim/told_history.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace almenara::sim::check {

namespace {

const std::string nothing;

struct told_ledger : told_history {
    void sent(std::uint64_t seq, const reply& told) { kept.result_sent(log, session, seq, told); }

    ledger kept{found};
};

} // namespace

TEST_CASE("I12 what was confirmed and is in the log once makes the final state") {
    told_ledger run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.wrote(2, cas("a", 2, "y"), 2, 3, 3);
    run.heard(1, add("n", 5), 4, 5, sum("5", 4));
    run.committed_at(4);
    run.unheard(1, add("n", 2), 6);
    run.committed_at(5);
    run.unheard(1, put("a", "lost"), 7);
    const auto state = run.kept.settle(run.log, run.all);
    CHECK(run.broken() == nothing);
    const key_values expected{{"a", {.value = "y", .version = log_index{3}}},
                              {"n", {.value = "7", .version = log_index{5}}}};
    CHECK(state == expected);
    run.kept.check_state(server_id{1}, expected, state);
    CHECK(run.broken() == nothing);
}

TEST_CASE("I12 a confirmed operation that is not in the log is found") {
    told_ledger run;
    run.heard(1, put("a", "x"), 0, 1, saw("", 2, 2));
    static_cast<void>(run.kept.settle(run.log, run.all));
    CHECK(run.broken() == "I12");
}

TEST_CASE("I12 a confirmed operation that is elsewhere in the log is found") {
    told_ledger run;
    run.heard(1, put("a", "x"), 0, 1, saw("", 2, 2));
    run.committed_at(3);
    static_cast<void>(run.kept.settle(run.log, run.all));
    CHECK(run.broken() == "I12");
}

TEST_CASE("I12 a server with another state in the end is found") {
    told_ledger run;
    const key_values expected{{"a", {.value = "x", .version = log_index{2}}}};
    SECTION("it lost a key") {
        run.kept.check_state(server_id{1}, expected, {});
    }
    SECTION("it has a key too many") {
        run.kept.check_state(server_id{1}, {}, expected);
    }
    SECTION("it has an older version") {
        run.kept.check_state(server_id{1}, expected,
                             {{"a", {.value = "x", .version = log_index{1}}}});
    }
    CHECK(run.broken() == "I12");
}

TEST_CASE("I13 an add that counted twice is found by its sum") {
    told_ledger run;
    run.heard(1, add("n", 5), 0, 1, sum("5", 2));
    run.committed_at(2);
    run.heard(1, add("n", 5), 2, 3, sum("15", 3));
    run.committed_at(3);
    static_cast<void>(run.kept.settle(run.log, run.all));
    CHECK(run.broken() == "I15");
}

TEST_CASE("I14 the same operation with two results is found") {
    told_ledger run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    const reply first{.code = outcome::done, .index = log_index{2}};
    run.sent(1, first);
    run.sent(1, first);
    CHECK(run.broken() == nothing);
    run.sent(1, {.code = outcome::conflict, .index = log_index{2}});
    CHECK(run.broken() == "I14");
}

TEST_CASE("I10 a result whose entry is not the operation's is found") {
    told_ledger run;
    run.wrote(1, put("a", "x"), 0, 1, 3);
    SECTION("it is another one's") {
        run.sent(1, {.code = outcome::conflict, .index = log_index{2}});
    }
    SECTION("there is none") {
        run.sent(1, {.code = outcome::conflict, .index = log_index{4}});
    }
    CHECK(run.broken() == "I10");
}

TEST_CASE("I15 a condition that should not have held is found") {
    told_ledger run;
    run.wrote(1, put("a", "x"), 0, 1, 2);
    run.wrote(2, cas("a", 1, "y"), 2, 3, 3);
    static_cast<void>(run.kept.settle(run.log, run.all));
    CHECK(run.broken() == "I15");
}

TEST_CASE("I27 a refused operation that took effect is found") {
    told_ledger run;
    run.heard(1, put("a", "x"), 0, 1, {.code = outcome::refused});
    static_cast<void>(run.kept.settle(run.log, run.all));
    CHECK(run.broken() == nothing);
    run.committed_at(2);
    static_cast<void>(run.kept.settle(run.log, run.all));
    CHECK(run.broken() == "I27");
}

TEST_CASE("I27 an operation that cannot be takes no effect and is refused") {
    told_ledger run;
    const request bad = put("", "x");
    SECTION("it is") {
        run.heard(1, bad, 0, 1, {.code = outcome::refused});
        run.heard(1, put(std::string(longest_key + 1, 'k'), "x"), 2, 3, {.code = outcome::refused});
        static_cast<void>(run.kept.settle(run.log, run.all));
        CHECK(run.broken() == nothing);
    }
    SECTION("nobody heard, and it is in the log") {
        run.unheard(1, bad, 0);
        run.committed_at(2);
        static_cast<void>(run.kept.settle(run.log, run.all));
        CHECK(run.broken() == "I27");
    }
    SECTION("it was refused, and is in the log") {
        run.heard(1, bad, 0, 1, {.code = outcome::refused});
        run.committed_at(2);
        static_cast<void>(run.kept.settle(run.log, run.all));
        CHECK(run.broken() == "I27");
    }
    SECTION("it was answered") {
        run.read(1, "", 0, 1, saw_nothing(1));
        static_cast<void>(run.kept.settle(run.log, run.all));
        CHECK(run.broken() == "I27");
    }
}

} // namespace almenara::sim::check
