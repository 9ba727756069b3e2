#include "server/beacon_table.hpp"

#include "unit/server/beacon_stand.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using test::place;
using source = beacon_table::source;

constexpr device_tag laptop{10};
constexpr device_tag phone{20};
constexpr instant start{100s};

} // namespace

TEST_CASE("C.2: a registration counts for 60 s") {
    beacon_table table;
    REQUIRE(table.registers(laptop, place(1), start));
    CHECK(table.addresses(laptop, source::own, start + 59s).size() == 1);
    CHECK(table.addresses(laptop, source::own, start + 60s).empty());
    REQUIRE(table.registers(laptop, place(1), start + 59s));
    CHECK(table.addresses(laptop, source::own, start + 100s).size() == 1);
    CHECK(table.devices(source::own, start + 100s) == std::vector{laptop});
    CHECK(table.devices(source::own, start + 119s).empty());
}

TEST_CASE(
    "C.2: what the primary says counts for 40 s, or until it says otherwise, and never as the "
    "device's own word") {
    beacon_table table;
    REQUIRE(table.told(laptop, place(1), start));
    CHECK(table.addresses(laptop, source::any, start + 39s).size() == 1);
    CHECK(table.addresses(laptop, source::any, start + 40s).empty());
    CHECK(table.addresses(laptop, source::own, start).empty());
    CHECK(table.devices(source::own, start).empty());
    CHECK(table.devices(source::any, start).size() == 1);

    REQUIRE(table.registers(phone, place(2), start));
    REQUIRE(table.told(phone, place(2), start));
    table.told_gone(phone, place(2));
    table.told_gone(laptop, place(1));
    table.told_gone(device_tag{99}, place(1));
    CHECK(table.devices(source::any, start) == std::vector{phone});
}

TEST_CASE("C.2: a device has four addresses; the one that would go first makes room") {
    beacon_table table;
    for (std::uint16_t port = 1; port <= 4; ++port) {
        REQUIRE(table.registers(laptop, place(port), start + std::chrono::seconds{port}));
    }
    REQUIRE(table.registers(laptop, place(1), start + 5s));
    REQUIRE(table.registers(laptop, place(5), start + 6s));
    CHECK(table.addresses(laptop, source::own, start + 6s) ==
          std::vector{place(1), place(3), place(4), place(5)});
}

TEST_CASE("style 11: of so many devices addresses are kept, and those that are in stay") {
    beacon_table table{{.devices = 2}};
    REQUIRE(table.registers(laptop, place(1), start));
    REQUIRE(table.told(phone, place(1), start));
    CHECK_FALSE(table.registers(device_tag{30}, place(1), start));
    CHECK_FALSE(table.told(device_tag{30}, place(1), start));
    CHECK(table.registers(laptop, place(2), start));
    CHECK(table.size() == 2);

    // What is over makes room, when it was looked at.
    CHECK(table.sweep(start + 50s) == std::vector{phone});
    CHECK(table.registers(device_tag{30}, place(1), start + 50s));
}

TEST_CASE("style 11: a large table is looked at in pieces") {
    beacon_table table;
    CHECK_FALSE(table.next_sweep());
    for (std::uint64_t i = 1; i <= 3000; ++i) {
        REQUIRE(table.registers(device_tag{i}, place(1), start));
    }
    instant now = start + 60s;
    std::size_t lost = 0;
    std::size_t pieces = 0;
    while (table.size() > 0) {
        now = std::max(now, table.next_sweep().value());
        const std::size_t some = table.sweep(now).size();
        CHECK(some <= 1024);
        lost += some;
        ++pieces;
    }
    CHECK(lost == 3000);
    CHECK(pieces == 3);
    CHECK(now < start + 61s);
    CHECK_FALSE(table.next_sweep());
}

} // namespace almenara::server
