#include "server/deadline_queue.hpp"

#include "base/random.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

namespace almenara::server {

namespace {

constexpr std::size_t all = 1'000'000;

using namespace std::chrono_literals;

constexpr connection_id a{1};
constexpr connection_id b{2};

constexpr instant at(int seconds) {
    return instant{std::chrono::seconds{seconds}};
}

std::vector<connection_id> sorted(std::vector<connection_id> ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
}

} // namespace

TEST_CASE("without deadlines there is nothing to wait for") {
    deadline_queue deadlines;
    CHECK_FALSE(deadlines.next());
    CHECK(deadlines.take_due(at(1000), all).empty());
}

TEST_CASE("a deadline is due at its time, once") {
    deadline_queue deadlines;
    deadlines.set(a, at(10));
    CHECK(deadlines.next() == at(10));
    CHECK(deadlines.take_due(at(10) - 1ns, all).empty());
    CHECK(deadlines.take_due(at(10), all) == std::vector{a});
    CHECK(deadlines.take_due(at(20), all).empty());
    CHECK_FALSE(deadlines.next());
}

TEST_CASE("a deadline that moved later is not due before, and costs no entry") {
    deadline_queue deadlines;
    for (int seconds = 10; seconds < 1000; ++seconds) {
        deadlines.set(a, at(seconds));
    }
    CHECK(deadlines.queued() == 1);
    CHECK(deadlines.take_due(at(998), all).empty());
    CHECK(deadlines.take_due(at(999), all) == std::vector{a});
}

TEST_CASE("a deadline that moved earlier is due then, and once") {
    deadline_queue deadlines;
    deadlines.set(a, at(10));
    deadlines.set(a, at(5));
    CHECK(deadlines.next() == at(5));
    CHECK(deadlines.take_due(at(5), all) == std::vector{a});
    CHECK(deadlines.take_due(at(10), all).empty());
}

TEST_CASE("deadlines come in their order, equal ones together") {
    deadline_queue deadlines;
    deadlines.set(b, at(2));
    deadlines.set(a, at(1));
    CHECK(deadlines.take_due(at(2), all) == std::vector{a, b});
    deadlines.set(a, at(3));
    deadlines.set(b, at(3));
    CHECK(sorted(deadlines.take_due(at(3), all)) == std::vector{a, b});
}

TEST_CASE("a connection that is gone has no deadline, and its entry keeps nobody waiting") {
    deadline_queue deadlines;
    deadlines.set(a, at(10));
    deadlines.remove(a);
    CHECK_FALSE(deadlines.next());
    CHECK(deadlines.take_due(at(10), all).empty());
}

TEST_CASE("a deadline that never comes holds nothing") {
    deadline_queue deadlines;
    deadlines.set(a, instant::max());
    CHECK_FALSE(deadlines.next());
    CHECK(deadlines.queued() == 0);
    // A connection that waits for its place past its time for a hello, and is then called.
    deadlines.set(b, at(5));
    deadlines.set(b, instant::max());
    CHECK(deadlines.take_due(at(5), all).empty());
    CHECK(deadlines.queued() == 0);
    deadlines.set(b, at(8));
    CHECK(deadlines.take_due(at(8), all) == std::vector{b});
}

TEST_CASE("style 11 connections that come and go leave nothing behind") {
    deadline_queue deadlines;
    for (std::uint64_t id = 1; id <= 10'000; ++id) {
        deadlines.set(connection_id{id}, at(30));
        if (id > 10) {
            deadlines.remove(connection_id{id - 10});
        }
    }
    CHECK(deadlines.queued() <= 100);
}

TEST_CASE("style 11 a deadline that comes ever nearer leaves nothing behind") {
    deadline_queue deadlines;
    for (int seconds = 10'000; seconds > 0; --seconds) {
        deadlines.set(a, at(seconds));
    }
    CHECK(deadlines.queued() <= 100);
    CHECK(deadlines.take_due(at(1), all) == std::vector{a});
}

TEST_CASE("no more deadlines than asked for are taken at a time, and the rest stays due") {
    deadline_queue deadlines;
    deadlines.set(a, at(1));
    deadlines.set(b, at(2));
    CHECK(deadlines.take_due(at(3), 1) == std::vector{a});
    CHECK(deadlines.next() == at(2));
    CHECK(deadlines.take_due(at(3), 1) == std::vector{b});
}

TEST_CASE("deadlines come as a plain list of them says, whatever happens") {
    deadline_queue deadlines;
    std::map<connection_id, instant> plain;
    base::generator random{GENERATE(11U, 12U, 13U)};
    instant now = at(1);
    for (int step = 0; step < 5000; ++step) {
        const connection_id id{random.below(30)};
        switch (random.below(4)) {
        case 0:
            deadlines.remove(id);
            plain.erase(id);
            break;
        case 1:
            now = now + random.between(0s, 3s);
            break;
        default:
            plain[id] = random.chance(1, 10) ? instant::max() : now + random.between(0s, 20s);
            deadlines.set(id, plain[id]);
        }
        std::vector<connection_id> due;
        for (const auto& [owner, deadline] : plain) {
            if (deadline <= now) {
                due.push_back(owner);
            }
        }
        REQUIRE(sorted(deadlines.take_due(now, all)) == due);
        instant first = instant::max();
        for (const connection_id gone : due) {
            plain.erase(gone);
        }
        for (const auto& [owner, deadline] : plain) {
            first = std::min(first, deadline);
        }
        REQUIRE(deadlines.next().value_or(instant::max()) <= first);
        REQUIRE(deadlines.queued() <= 2 * plain.size() + 64);
    }
}

} // namespace almenara::server
