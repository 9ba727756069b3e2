#include "settings.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::bench;
using namespace std::chrono_literals;

namespace {

result<settings> parsed(const std::vector<std::string>& words) {
    return parse_settings(words);
}

} // namespace

TEST_CASE("a load without options is the one of the manual") {
    const auto asked = parsed({});
    REQUIRE(asked.has_value());
    CHECK(asked->servers == std::vector<std::string>{"127.0.0.1:7400"});
    CHECK(asked->clients == 64);
    CHECK(asked->size == 128);
    CHECK(asked->seconds == 10);
    CHECK(asked->pipeline == 1);
    CHECK_FALSE(asked->rate);
    CHECK_FALSE(asked->filled);
    CHECK(asked->follow == client::all_ways);
}

TEST_CASE("several servers and every option are understood") {
    const auto asked = parsed({"-s", "127.0.0.1:7401", "-s", "unix:/tmp/x.sock", "--workload",
                               "failover", "--rate", "500", "--keys", "7", "--timeout", "5s",
                               "--json", "--plaintext", "--filled", "--follow", "beacon,members"});
    REQUIRE(asked.has_value());
    CHECK(asked->servers.size() == 2);
    CHECK(asked->kind == workload_kind::failover);
    CHECK(asked->rate == 500U);
    CHECK(asked->pipeline == 64);
    CHECK(asked->keys == 7);
    CHECK(asked->timeout == 5s);
    CHECK(asked->json);
    CHECK(asked->filled);
    CHECK(asked->plaintext);
    CHECK(asked->follow == client::ways{client::source::beacon, client::source::members});
}

TEST_CASE("a load that makes no sense is refused and the option named") {
    const std::vector<std::pair<std::vector<std::string>, std::string>> bad{
        {{"--clients", "0"}, "--clients"},
        {{"--size", "1000000"}, "--size"},
        {{"--workload", "dance"}, "--workload"},
        {{"--timeout", "soon"}, "--timeout"},
        {{"-s", "nowhere:"}, "--server"},
        {{"-u", "a b"}, "--user"},
        {{"--follow", "beacon;members"}, "--follow"},
        {{"--nothing"}, "nothing"},
        {{"word"}, "position"}};
    for (const auto& [words, named] : bad) {
        const auto asked = parsed(words);
        REQUIRE_FALSE(asked.has_value());
        CAPTURE(asked.error().message());
        CHECK(asked.error().message().find(named) != std::string::npos);
    }
}

TEST_CASE("the help of the bench begins with an example") {
    CHECK(help_text().starts_with("Examples:\n  almenara-bench "));
}
