#include "client/in_order.hpp"

#include "client/errands.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace almenara;
using client::ticket;

namespace {

using names = client::in_order<ticket, std::string>;

std::vector<std::string> all(const names& of) {
    std::vector<std::string> every;
    for (const auto& [number, name] : of) {
        every.push_back(name);
    }
    return every;
}

} // namespace

TEST_CASE("what is open stands in the order of its numbers, however it came") {
    names some;
    some.put(ticket{2}, "b");
    some.put(ticket{9}, "z");
    some.put(ticket{5}, "m");
    some.put(ticket{1}, "a");
    CHECK(all(some) == std::vector<std::string>{"a", "b", "m", "z"});
    CHECK(some.front().first == ticket{1});
    CHECK(some.size() == 4);
}

TEST_CASE("a number that is open already is replaced") {
    names some;
    some.put(ticket{1}, "a");
    some.put(ticket{2}, "b");
    some.put(ticket{1}, "c");
    some.put(ticket{2}, "d");
    CHECK(all(some) == std::vector<std::string>{"c", "d"});
}

TEST_CASE("what ends is taken once, from wherever it stands") {
    names some;
    for (std::uint64_t number = 1; number <= 5; ++number) {
        some.put(ticket{number}, std::string(number, 'x'));
    }
    CHECK(some.take(ticket{3}) == "xxx");
    CHECK(some.take(ticket{1}) == "x");
    CHECK(some.take(ticket{5}) == "xxxxx");
    CHECK_FALSE(some.take(ticket{3}));
    CHECK_FALSE(some.take(ticket{0}));
    CHECK_FALSE(some.take(ticket{6}));
    CHECK(all(some) == std::vector<std::string>{"xx", "xxxx"});
    some.take(ticket{2});
    some.take(ticket{4});
    CHECK(some.empty());
    CHECK_FALSE(some.take(ticket{4}));
}
