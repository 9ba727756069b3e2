#include "state/inputs.hpp"

#include "base/random.hpp"
#include "state/overlay.hpp"
#include "support/cold_key_space.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almenara::state {

namespace {

using test::bytes_of;
using test::cold_key_space;

row row_of(std::string key, std::string_view value) {
    return {.key = std::move(key), .value = bytes_of(value)};
}

/// Every second row is cold.
bool is_cold_by_name(std::string_view key) {
    return !key.empty() && (key.back() - '0') % 2 == 1;
}

/// The state of a server that grows, what it should be, and rows that are cold by chance.
class growing_state {
  public:
    explicit growing_state(std::uint64_t seed) : luck_(seed) {}

    /// An entry; base gets some of what it lacks.
    void grows() {
        const log_index index = over_.last().next();
        std::vector<change> changes;
        for (std::uint64_t count = luck_.below(6); count > 0; --count) {
            change& what = changes.emplace_back();
            what.key = key();
            if (luck_.chance(2, 3)) {
                what.bytes = bytes_of(std::string(1 + luck_.below(40), 'x'));
            } else {
                what.kind = change_kind::erase;
            }
        }
        over_.push(index, changes);
        over_.settle({.index = index});
        model_.apply({.index = index}, changes);
        if (luck_.chance(1, 2)) {
            over_.apply_to_base(
                log_index{index.value() - luck_.below(std::min<std::uint64_t>(index.value(), 6))});
        }
    }

    /// Asks until everything is there, while the state goes on.
    template <class Question>
    auto asks(const Question& question) {
        is_warm_ = false;
        inputs supplied;
        for (int rounds = 0;; ++rounds) {
            const base_look base{base_, supplied};
            const overlay::view seen{over_, overlay::part::committed, base};
            auto answer = question(static_cast<const table_view&>(seen));
            if (base.missing().empty()) {
                CHECK(answer == question(static_cast<const table_view&>(model_)));
                most_rounds_ = std::max(most_rounds_, rounds);
                return answer;
            }
            supplied.keep(over_.hold());
            is_warm_ = luck_.below(3) == 0;
            grows_sometimes();
            inputs fetched = base_.fetch(base.missing());
            grows_sometimes();
            supplied.add(std::move(fetched));
            REQUIRE(rounds < 60);
        }
    }

    [[nodiscard]] std::string key() { return fmt::format("{:02}", luck_.below(60)); }
    [[nodiscard]] base::generator& luck() { return luck_; }
    [[nodiscard]] int most_rounds() const { return most_rounds_; }
    [[nodiscard]] overlay& over() { return over_; }

  private:
    void grows_sometimes() {
        for (std::uint64_t count = luck_.below(4); count > 0; --count) {
            grows();
        }
    }

    base::generator luck_;
    bool is_warm_ = false;
    int most_rounds_ = 0;
    memory_key_space model_;
    cold_key_space base_{[this](std::string_view) { return !is_warm_ && luck_.below(3) > 0; }};
    overlay over_{base_};
};

} // namespace

TEST_CASE("architecture 2: what was fetched is known, and nothing else") {
    inputs known;
    known.add_row("a", bytes_of("1"));
    known.add_row("b", std::nullopt);
    known.add_range({.range = {.from = "m", .to = "p"}, .limit = {.rows = 5}},
                    {row_of("n", "2"), row_of("o", "3")});
    REQUIRE(known.find("a"));
    CHECK(known.find("a")->value == bytes_of("1"));
    REQUIRE(known.find("b"));
    CHECK_FALSE(known.find("b")->value);
    CHECK_FALSE(known.find("c"));
    CHECK(known.find("n")->value == bytes_of("2"));
    REQUIRE(known.find("m"));
    CHECK_FALSE(known.find("m")->value);
    CHECK_FALSE(known.find("p"));
    CHECK(known.around("oz") != nullptr);
    CHECK(known.around("l") == nullptr);
}

TEST_CASE("architecture 2: a range that ended with its limit says nothing of what comes then") {
    inputs known;
    known.add_range({.range = {.from = "m", .to = {}}, .limit = {.rows = 2}},
                    {row_of("n", "2"), row_of("o", "3")});
    CHECK(known.find("o"));
    CHECK_FALSE(known.find("p"));
    known.add_range({.range = {.from = "x", .to = {}}, .limit = {.rows = 9, .bytes = 2}},
                    {row_of("y", "2")});
    CHECK(known.find("y"));
    CHECK_FALSE(known.find("z"));
    known.add_range({.range = {.from = "zz", .to = {}}, .limit = {.rows = 1}}, {});
    CHECK(known.find("zzz"));
}

TEST_CASE("architecture 2: what is cold is noted once, and reads as if it were not there") {
    cold_key_space base{is_cold_by_name};
    std::vector<change> changes;
    for (char digit = '0'; digit <= '9'; ++digit) {
        changes.push_back({.key = std::string{"k"} + digit, .bytes = bytes_of("x")});
    }
    base.apply({.index = log_index{1}}, changes);
    inputs supplied;
    const base_look first{base, supplied};
    CHECK(first.get("k2"));
    CHECK_FALSE(first.get("k3"));
    CHECK_FALSE(first.get("k3"));
    CHECK(first.scan({.from = "k4", .to = "k7"}, {.rows = 9}).empty());
    const needs expected{.rows = {"k3"},
                         .ranges = {{.range = {.from = "k4", .to = "k7"}, .limit = {.rows = 9}}}};
    CHECK(first.missing() == expected);

    supplied.add(base.fetch(first.missing()));
    const base_look second{base, supplied};
    CHECK(second.get("k3"));
    CHECK(second.scan({.from = "k4", .to = "k7"}, {.rows = 9}).size() == 3);
    CHECK(second.scan({.from = "k5", .to = "k7"}, {.rows = 1}).size() == 1);
    CHECK(second.missing().empty());
    // It goes on behind what was fetched.
    CHECK(second.scan({.from = "k4", .to = {}}, {.rows = 9}).size() == 3);
    REQUIRE(second.missing().ranges.size() == 1);
    CHECK(second.missing().ranges[0].range.from == "k7");
    CHECK(second.missing().ranges[0].limit.rows == 6);
}

TEST_CASE("architecture 2: rows that come late are made current by the overlay") {
    growing_state server{GENERATE(1U, 2U, 3U, 4U, 5U)};
    for (int i = 0; i < 60; ++i) {
        server.grows();
        const std::string key = server.key();
        const std::string other = server.key();
        server.asks(
            [&](const table_view& rows) { return std::pair{rows.get(key), rows.get(other)}; });
        const key_range range{.from = std::min(key, other), .to = std::max(key, other)};
        const scan_limit limit{.rows = 1 + server.luck().below(8)};
        server.asks([&](const table_view& rows) { return rows.scan(range, limit); });
        // What is asked for depends on what was found.
        server.asks([&](const table_view& rows) {
            std::string at = key;
            for (int step = 0; step < 4; ++step) {
                const auto value = rows.get(at);
                at = fmt::format("{:02}", value ? (value->size() * 17 + 7) % 60 : 0);
            }
            return rows.get(at);
        });
    }
    CHECK(server.most_rounds() > 1);
}

TEST_CASE("architecture 2: the overlay shrinks only to the lowest view still out") {
    growing_state server{7};
    while (server.over().applied() < log_index{5}) {
        server.grows();
    }
    overlay& over = server.over();
    overlay_hold first = over.hold();
    const log_index held = *first;
    for (int i = 0; i < 20; ++i) {
        server.grows();
    }
    overlay_hold second = over.hold();
    over.apply_to_base(over.last());
    CHECK(over.applied() == over.last());
    CHECK(over.size() == over.last().value() - held.value());
    first.reset();
    over.forget(overlay::all_entries);
    CHECK(over.size() == over.last().value() - second->value());
    second.reset();
    over.forget(overlay::all_entries);
    CHECK(over.size() == 0);
    CHECK(over.memory() == 0);
}

} // namespace almenara::state
