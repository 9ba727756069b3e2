#include "history.hpp"
#include "support/check/bench_history.hpp"
#include "support/check/orders.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>

using namespace almenara;
using test::check::find_orders;
using test::check::find_stale;
using test::check::outcome;
using test::check::read_bench_history;
using wire::result_code;

namespace {

constexpr std::size_t many_steps = 10'000;

/// A history as the bench writes it, told by a test: times are nanoseconds.
class book {
  public:
    struct span {
        std::int64_t from;
        std::int64_t to;
    };

    void put(std::string value, span when, result_code code, std::uint64_t index) {
        add({.what = bench::verb::put, .key = "bench/1", .value = std::move(value)}, when,
            answer(code, index), {.version = log_index{index}});
    }
    void cas(log_index expected, span when, const client::answer& how, log_index version) {
        add({.what = bench::verb::cas,
             .key = "bench/1",
             .value = "swapped",
             .expected_version = expected},
            when, how, {.version = version});
    }
    void get(std::string value, span when, std::uint64_t index) {
        add({.what = bench::verb::get, .key = "bench/1"}, when, answer(result_code::ok, index),
            {.found = true, .version = log_index{index}, .value = std::move(value)});
    }
    void get_nothing(span when, std::uint64_t index) {
        add({.what = bench::verb::get, .key = "bench/1"}, when,
            answer(result_code::not_found, index), {});
    }

    [[nodiscard]] static client::answer answer(result_code code, std::uint64_t index) {
        client::answer how{code};
        how.index = log_index{index};
        return how;
    }

    [[nodiscard]] test::check::history read() const {
        auto heard = read_bench_history(text);
        if (!heard) {
            FAIL(heard.error().message());
        }
        return *std::move(heard);
    }

    std::string text;

  private:
    void add(bench::operation asked, span when, client::answer how, bench::outcome heard) {
        text += bench::line_of({.client = 1,
                                .asked = std::move(asked),
                                .called = instant{duration{when.from}},
                                .returned = instant{duration{when.to}},
                                .how = std::move(how),
                                .heard = std::move(heard)});
    }
};

} // namespace

TEST_CASE("what the bench writes is read again, in the order of asking") {
    book told;
    told.put("1-1....", {10, 40}, result_code::ok, 7);
    told.get("1-1....", {50, 60}, 7);
    told.cas(log_index{7}, {62, 64}, book::answer(result_code::ok, 8), log_index{8});
    told.cas(log_index{7}, {66, 68}, book::answer(result_code::conflict, 9), log_index{8});
    told.get_nothing({1, 70}, 6);
    told.put("1-2", {71, 90}, result_code::uncertain, 0);
    told.put("1-3", {72, 91}, result_code::no_space, 0); // It changed nothing.
    const auto heard = told.read();
    const auto& all = heard.operations();
    REQUIRE(all.size() == 6);
    CHECK(all[0].reply.code == outcome::not_found);
    CHECK(all[1].request.what == test::check::verb::put);
    CHECK(all[1].request.value == "1-1");
    CHECK(all[1].reply.index == log_index{7});
    CHECK(all[2].reply.value == "1-1");
    CHECK(all[3].request.expected == log_index{7});
    CHECK(all[4].reply.code == outcome::conflict);
    CHECK(all[4].reply.version == log_index{8});
    CHECK(all[5].reply.code == outcome::uncertain);
    CHECK_FALSE(all[5].returned);
    CHECK(find_orders(heard, many_steps).keys_in_order == 1);
    CHECK(find_stale(heard).reads == 0);
}

TEST_CASE("a history of the bench that no order explains is refused") {
    book told;
    told.put("1-1", {10, 20}, result_code::ok, 7);
    told.put("1-2", {30, 40}, result_code::ok, 8);
    SECTION("a read that is out of date") {
        told.get("1-1", {50, 60}, 7);
        CHECK(find_stale(told.read()).reads == 1);
    }
    SECTION("a value that nobody wrote") {
        told.get("1-9", {50, 60}, 8);
    }
    SECTION("a swap of what was not there any more") {
        told.cas(log_index{7}, {50, 60}, book::answer(result_code::ok, 9), log_index{9});
    }
    SECTION("a write that is lost") {
        told.get_nothing({50, 60}, 9);
    }
    CHECK(find_orders(told.read(), many_steps).broken.size() == 1);
}

TEST_CASE("a line that is none of the bench's is named") {
    book told;
    told.put("1-1", {10, 20}, result_code::ok, 7);
    const std::string good = told.text;
    const auto why = [&](const std::string& second) {
        const auto heard = read_bench_history(good + second);
        REQUIRE(heard.has_error());
        return heard.error().message();
    };
    CHECK(why("what?\n") == "line 2 is no JSON object");
    CHECK(why("[]\n") == "line 2 is no JSON object");
    CHECK(why(good.substr(0, good.size() / 2)) == "line 2 is no JSON object");
    CHECK(why("{}\n").starts_with("line 2: "));
    const auto with = [&](const std::string& old, const std::string& fresh) {
        std::string line = good;
        REQUIRE(line.find(old) != std::string::npos);
        return line.replace(line.find(old), old.size(), fresh);
    };
    const auto names = [&](const std::string& line, const std::string& field) {
        CHECK(why(line).starts_with("line 2: \"" + field + "\""));
    };
    names(with("\"put\"", "\"add\""), "op");
    names(with("\"call_ns\":10", "\"call_ns\":null"), "call_ns");
    names(with("\"return_ns\":20", "\"return_ns\":-1"), "return_ns");
    names(with("\"outcome\":\"ok\"", "\"outcome\":\"good\""), "outcome");
}
