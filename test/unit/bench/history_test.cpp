#include "history.hpp"

#include "services/kv/bodies.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_all.hpp>

#include <set>

using namespace almenara;
using namespace almenara::bench;
using wire::result_code;
namespace kv = services::kv::body;

namespace {

boost::json::object parsed(const history_entry& what) {
    const std::string line = line_of(what);
    REQUIRE(line.ends_with('\n'));
    return boost::json::parse(line.substr(0, line.size() - 1)).as_object();
}

history_entry a_put(result_code code) {
    history_entry what{.client = 3,
                       .asked = {.what = verb::put, .key = "bench/1", .value = "3-7....."},
                       .called = instant{duration{100}},
                       .returned = instant{duration{250}},
                       .how = client::answer{code},
                       .heard = {.version = log_index{12}}};
    what.how.index = log_index{12};
    return what;
}

base::byte_vector value_of(const operation& writes, std::size_t size) {
    const auto body = body_of(writes, size);
    const auto message = kv::in<kv::service::put>(body);
    REQUIRE(message);
    return message->value;
}

} // namespace

TEST_CASE("a value is filled up to its size and never cut") {
    const operation writes{.what = verb::put, .key = "bench/1", .value = "12-345"};
    CHECK(base::as_text(value_of(writes, 9)) == "12-345...");
    CHECK(base::as_text(value_of(writes, 6)) == "12-345");
    CHECK(base::as_text(value_of(writes, 1)) == "12-345");
    CHECK(unique_part(base::as_text(value_of(writes, 9))) == "12-345");
}

TEST_CASE("a line of the history has what a checker needs") {
    const auto line = parsed(a_put(result_code::ok));
    CHECK(line.at("client") == 3);
    CHECK(line.at("op") == "put");
    CHECK(line.at("key") == "bench/1");
    CHECK(line.at("value") == "3-7");
    CHECK(line.at("call_ns") == 100);
    CHECK(line.at("return_ns") == 250);
    CHECK(line.at("outcome") == "ok");
    CHECK(line.at("version") == 12);
    CHECK_FALSE(line.contains("read"));
}

TEST_CASE("what nobody knows has no time of return: it may still happen") {
    const auto line = parsed(a_put(result_code::uncertain));
    CHECK(line.at("outcome") == "unknown");
    CHECK(line.at("return_ns").is_null());
}

TEST_CASE("what was cancelled or refused has certainly no effect") {
    CHECK(parsed(a_put(result_code::cancelled)).at("outcome") == "failed");
    CHECK(parsed(a_put(result_code::no_space)).at("outcome") == "failed");
}

TEST_CASE("a conflict names the version that was there instead") {
    history_entry what = a_put(result_code::conflict);
    what.asked.what = verb::cas;
    what.asked.expected_version = log_index{4};
    const auto line = parsed(what);
    CHECK(line.at("outcome") == "failed");
    CHECK(line.at("code") == "conflict");
    CHECK(line.at("expected_version") == 4);
    CHECK(line.at("version") == 12);
}

TEST_CASE("a read of a key that is not there was answered") {
    history_entry what = a_put(result_code::not_found);
    what.asked = {.what = verb::get, .key = "bench/1"};
    what.heard = {};
    const auto line = parsed(what);
    CHECK(line.at("outcome") == "ok");
    CHECK(line.at("found") == false);
    CHECK(line.at("read").is_null());
    CHECK(line.at("version") == 0);
    CHECK_FALSE(line.contains("value"));
}

TEST_CASE("no two writes of any clients have the same value, whatever its size") {
    std::set<base::byte_vector> values;
    for (std::uint32_t client = 0; client < 20; ++client) {
        workload ideas{{.kind = workload_kind::write, .client = client, .keys = 3}};
        for (int i = 0; i < 200; ++i) {
            CHECK(values.insert(value_of(ideas.next(), 4)).second);
        }
    }
}

TEST_CASE("a mixed load reads, writes, and sets conditions on what it has heard") {
    workload ideas{{.kind = workload_kind::mixed, .client = 1, .keys = 2, .seed = 5}};
    std::map<verb, int> counts;
    for (int i = 0; i < 2000; ++i) {
        const operation one = ideas.next();
        ++counts[one.what];
        CHECK((one.what == verb::cas) == one.expected_version.has_value());
        ideas.learn(one, {.found = true, .version = log_index{static_cast<std::uint64_t>(i + 1)}});
    }
    CHECK(counts[verb::get] > 800);
    CHECK(counts[verb::put] > 400);
    CHECK(counts[verb::cas] > 100);
}
