#include "server/waiting_room.hpp"

#include "unit/server/reception_stand.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using test::reception_stand;

constexpr connection_id ann{1};
constexpr connection_id bob{2};

held_request whois_of(connection_id who, duration until) {
    return {.connection = who,
            .request = wire::whois{.request = request_id{5}},
            .reason = held_for::primary,
            .until = instant{until}};
}

held_request operation_of(connection_id who, std::size_t bytes) {
    wire::operation what{.request = request_id{6}};
    what.body.resize(bytes);
    return {.connection = who,
            .request = std::move(what),
            .reason = held_for::slot,
            .until = instant{9s}};
}

} // namespace

TEST_CASE("style 11: a waiting room takes so many requests and no more") {
    waiting_room room{{.requests = 2, .bytes = 1U << 20U}};
    auto first = whois_of(ann, 1s);
    auto second = whois_of(ann, 2s);
    auto third = whois_of(bob, 3s);
    CHECK(room.hold(first));
    CHECK(room.hold(second));
    CHECK_FALSE(room.hold(third));
    CHECK(third.connection == bob); // Nothing was taken from it.
    CHECK(room.size() == 2);

    CHECK(room.take(held_for::primary).size() == 2);
    CHECK(room.hold(third));
}

TEST_CASE("style 11: a waiting room takes so many bytes and no more") {
    waiting_room room{{.requests = 100, .bytes = 10'000}};
    auto large = operation_of(ann, 9'000);
    auto other = operation_of(ann, 1'000);
    CHECK(room.hold(large));
    CHECK_FALSE(room.hold(other));
    CHECK(other.request.index() == large.request.index());
    CHECK(std::get<wire::operation>(other.request).body.size() == 1'000);

    CHECK(room.take(held_for::slot).size() == 1);
    CHECK(room.bytes() == 0);
    CHECK(room.hold(other));
}

TEST_CASE("requests leave a waiting room in the order in which they came") {
    waiting_room room{{}};
    for (std::uint64_t number = 1; number <= 5; ++number) {
        auto one = whois_of(connection_id{number}, std::chrono::seconds{number % 3});
        REQUIRE(room.hold(one));
    }
    CHECK(room.next_deadline() == instant{0s});
    const auto due = room.take_due(instant{1s});
    REQUIRE(due.size() == 3);
    CHECK(due[0].connection == connection_id{1});
    CHECK(due[1].connection == connection_id{3});
    CHECK(due[2].connection == connection_id{4});
    CHECK(room.next_deadline() == instant{2s});
    const auto rest = room.take(held_for::primary);
    REQUIRE(rest.size() == 2);
    CHECK(rest[0].connection == connection_id{2});
    CHECK(rest[1].connection == connection_id{5});
    CHECK_FALSE(room.next_deadline());
    CHECK_FALSE(room.has(held_for::primary));
}

TEST_CASE("who is gone waits no more") {
    waiting_room room{{}};
    auto hers = operation_of(ann, 100);
    auto his = whois_of(bob, 1s);
    REQUIRE(room.hold(hers));
    REQUIRE(room.hold(his));
    room.connection_ended(ann);
    CHECK(room.take_due(instant{}).empty()); // Whoever looks next takes it out.
    CHECK_FALSE(room.has(held_for::slot));
    CHECK(room.has(held_for::primary));
    CHECK(room.bytes() == weight_of(wire::whois{}));
}

TEST_CASE("B.9: a stale read waits until the state is as new as what its client has seen") {
    waiting_room room{{}};
    wire::read question = reception_stand::gets("k", wire::read_mode::stale);
    question.last_seen = log_index{7};
    held_request one{
        .connection = ann, .request = question, .reason = held_for::catch_up, .until = instant{9s}};
    REQUIRE(room.hold(one));
    CHECK(room.take_caught_up(log_index{6}).empty());
    CHECK(room.take_caught_up(log_index{7}).size() == 1);
    CHECK(room.size() == 0);
}

} // namespace almenara::server
