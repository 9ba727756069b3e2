#include "server/client_limit.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

namespace almenara::server {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

/// A machine on which nothing is short.
constexpr resources plenty{
    .descriptors = 1'000'000, .memory_available = 1024 * gibibyte, .loop_lag = 1ms};

} // namespace

TEST_CASE("003 a fixed limit on clients is the limit") {
    const client_room room = room_for_clients(100, plenty, 0);
    CHECK(room.clients == 100);
    CHECK(room.bound_by == "--max-clients");
    // Also when they are inside already: nobody else comes in.
    CHECK(room_for_clients(100, plenty, 100).clients == 100);
}

TEST_CASE("003 a fixed limit asks neither memory nor load") {
    resources poor = plenty;
    poor.memory_available = 0;
    poor.loop_lag = 1h;
    CHECK(room_for_clients(100, poor, 5).clients == 100);
}

TEST_CASE("003 a fixed limit cannot promise more than there are descriptors") {
    resources few = plenty;
    few.descriptors = 1024;
    const client_room room = room_for_clients(5000, few, 0);
    CHECK(room.clients == 1024 - 384 - door_for(1024));
    CHECK(room.bound_by == "descriptors");
}

TEST_CASE("003 auto: so many clients as there are descriptors, less a reserve") {
    resources now = plenty;
    now.descriptors = 1024;
    const client_room room = room_for_clients({}, now, 0);
    CHECK(room.clients == 1024 - 384 - door_for(1024));
    CHECK(room.bound_by == "descriptors");
}

TEST_CASE("003 auto: what a large state has open is not for clients") {
    resources now = plenty;
    now.descriptors = 4096;
    now.files_of_state = 1000;
    CHECK(room_for_clients({}, now, 0).clients == 4096 - 128 - 1250 - door_for(4096));
}

TEST_CASE("003 auto: so many more clients as half of the free memory holds") {
    resources now = plenty;
    now.memory_available = 10 * 2 * memory_per_client;
    const client_room room = room_for_clients({}, now, 7);
    CHECK(room.clients == 17);
    CHECK(room.bound_by == "memory");
}

TEST_CASE("003 auto: a server that is late takes nobody new, and is open again when it is not") {
    resources now = plenty;
    now.loop_lag = largest_loop_lag;
    CHECK(room_for_clients({}, now, 7).clients > 7);
    now.loop_lag += 1ns;
    const client_room room = room_for_clients({}, now, 7);
    CHECK(room.clients == 7);
    CHECK(room.bound_by == "load");
}

TEST_CASE("003 with nobody inside there is room for one, whatever is short") {
    const auto fixed = GENERATE(std::optional<std::size_t>{}, std::optional<std::size_t>{5});
    const auto poor = GENERATE(resources{.descriptors = 0, .memory_available = gibibyte},
                               resources{.descriptors = 1024, .memory_available = 0},
                               resources{1024, 0, gibibyte, 1h}, resources{});
    CHECK(room_for_clients(fixed, poor, 0).clients >= 1);
}

TEST_CASE("003 the door takes a part of the descriptors, within bounds") {
    CHECK(door_for(0) == 16);
    CHECK(door_for(1024) == 256);
    CHECK(door_for(1'000'000) == 4096);
}

} // namespace almenara::server
