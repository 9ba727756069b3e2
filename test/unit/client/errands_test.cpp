#include "client/errands.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

using namespace almenara;
using namespace std::chrono_literals;
using client::errand_kind;
using client::errands;
using client::ticket;

namespace {

constexpr instant start{1h};

ticket a_write(errands& open, instant deadline) {
    return open.add({.kind = errand_kind::write, .deadline = deadline}).value();
}

std::vector<ticket> unsent(const errands& open) {
    std::vector<ticket> every;
    for (auto next = open.unsent_behind(ticket{}); next; next = open.unsent_behind(*next)) {
        every.push_back(*next);
    }
    return every;
}

} // namespace

TEST_CASE("C.3: what is not sent is found in the order of asking, also when it comes back") {
    errands open;
    const ticket first = a_write(open, start + 1s);
    const ticket second = a_write(open, start + 1s);
    const ticket third = a_write(open, start + 1s);
    CHECK(unsent(open) == std::vector{first, second, third});
    open.sent(first);
    open.sent(second);
    CHECK(unsent(open) == std::vector{third});
    open.send_again(first, start);
    CHECK(unsent(open) == std::vector{first, third});
    open.send_again(first, start + 1ms);
    CHECK(unsent(open) == std::vector{first, third});
    REQUIRE(open.take(second)); // It was sent.
    REQUIRE(open.take(first));
    CHECK(unsent(open) == std::vector{third});
}

TEST_CASE("B.13: there is a place while one of any kind that waits could go") {
    errands open;
    CHECK_FALSE(open.has_place());
    std::vector<ticket> reads;
    for (std::size_t i = 0; i <= errands::most_reads_in_flight; ++i) {
        reads.push_back(open.add({.kind = errand_kind::read, .deadline = start + 1s}).value());
    }
    for (std::size_t i = 0; i < errands::most_reads_in_flight; ++i) {
        CHECK(open.has_place());
        open.sent(reads[i]);
    }
    CHECK_FALSE(open.has_place()); // for the last read,
    const ticket write = a_write(open, start + 1s);
    CHECK(open.has_place()); // but for a write,
    open.sent(write);
    CHECK_FALSE(open.has_place());
    const ticket transfer =
        open.add({.kind = errand_kind::administer, .deadline = start + 1s}).value();
    CHECK(open.has_place()); // and for what has no bound.
    REQUIRE(open.take(transfer));
    REQUIRE(open.take(reads.back()));
    CHECK_FALSE(open.has_place()); // Nobody waits.
    open.send_again(reads.front(), start);
    CHECK(open.has_place());
}

TEST_CASE("each deadline is found, though the nearest one is looked for only when it has come") {
    errands open;
    const ticket late = a_write(open, start + 5s);
    const ticket early = a_write(open, start + 1s);
    const ticket later = a_write(open, start + 9s);
    CHECK(open.wake(start) == start + 1s);
    CHECK(open.overdue(start + 999ms).empty());
    REQUIRE(open.take(early));
    CHECK(open.wake(start) == start + 1s); // Too early, which does no harm,
    CHECK(open.overdue(start + 1s).empty());
    CHECK(open.wake(start + 1s) == start + 5s); // and happens once.
    CHECK(open.overdue(start + 5s) == std::vector{late});
    REQUIRE(open.take(late));
    CHECK(open.wake(start + 5s) == start + 9s);
    CHECK(open.overdue(start + 10s) == std::vector{later});
    REQUIRE(open.take(later));
    CHECK(open.wake(start + 10s) == instant::max());
}

TEST_CASE("what is to wait before it is sent again wakes then") {
    errands open;
    const ticket one = a_write(open, start + 5s);
    open.sent(one);
    CHECK(open.wake(start) == start + 5s);
    open.send_again(one, start + 2s);
    CHECK(open.wake(start) == start + 2s);
    CHECK(open.wake(start + 2s) == start + 5s);
}
