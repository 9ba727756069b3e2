#include "report.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>

using namespace almenara;
using namespace almenara::bench;
using namespace std::chrono_literals;

TEST_CASE("the longest gap counts from one confirmed operation to the next") {
    report here;
    const instant begin{1h};
    here.begin(begin, 5s);
    const client::answer good;
    const client::answer bad{wire::result_code::uncertain};
    here.add(good, false, begin + 1s, 5ms);
    here.add(bad, true, begin + 2s, 1s);
    here.add(good, false, begin + 4s, 7ms);
    here.add(good, false, begin + 4500ms, 7ms);
    CHECK(here.longest_gap() == 3s);
    CHECK(here.done() == 3);
    CHECK(here.errors() == 1);
}

TEST_CASE("an outage that does not end is a gap until the load ends, with what was open then") {
    report here;
    const instant begin{1h};
    here.begin(begin, 10s);
    here.add({}, false, begin + 1s, 5ms);
    SECTION("nothing was open") {
        CHECK(here.longest_gap() == 9s);
    }
    SECTION("what was open had no answer either") {
        here.add(client::answer{wire::result_code::uncertain}, true, begin + 12s, 5s);
        CHECK(here.longest_gap() == 11s);
    }
    SECTION("what was open was confirmed at last") {
        here.add({}, false, begin + 13s, 5s);
        CHECK(here.longest_gap() == 12s);
    }
    SECTION("it was ended early") {
        here.end_early(begin + 4s);
        CHECK(here.longest_gap() == 3s);
    }
}

TEST_CASE("a report in JSON has the promised keys; what ended too late is no part of the rate") {
    settings asked;
    asked.kind = workload_kind::failover;
    report here;
    const instant begin{1h};
    here.begin(begin, 10s);
    for (int i = 0; i < 20; ++i) {
        here.add({}, false, begin + 1s * i, 2ms);
    }
    here.add(client::answer{wire::result_code::busy}, true, begin + 1s, 1ms);
    const auto object = boost::json::parse(here.json(asked)).as_object();
    CHECK(object.at("workload") == "failover");
    CHECK(object.at("clients") == 64);
    CHECK(object.at("done") == 20);
    CHECK(object.at("per_second").as_double() == Approx(1.1));
    CHECK(object.at("latency_us").at("p99.9") == 2000);
    CHECK(object.at("errors").at("busy") == 1);
    CHECK(object.at("rate").is_null());
    CHECK(here.text(asked).find("longest time without a confirmed operation: 1000.0 ms") !=
          std::string::npos);
}

TEST_CASE("fractions in JSON are plain decimals") {
    settings asked;
    report here;
    const instant begin{1h};
    here.begin(begin, 10s);
    for (int i = 0; i < 2200; ++i) {
        here.add({}, false, begin + 4ms * i, 2ms);
    }
    here.add({}, false, begin + 9600ms + 250us, 2ms);
    const std::string text = here.json(asked);
    CHECK(text.find("\"per_second\":220.1,") != std::string::npos);
    CHECK(text.find("\"longest_gap_ms\":804.250}") != std::string::npos);
}
