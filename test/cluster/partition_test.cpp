#include "cluster/five_machines.hpp"
#include "net/clock.hpp"
#include "support/check/gaps.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

/// The rows of the reliability table that need a network (docs/testing.md).
namespace almenara::test {

namespace {

using namespace std::chrono_literals;

constexpr run_counts of_a_row{.few = 2, .many = 20};
constexpr run_counts of_a_long_row{.few = 1, .many = 20};

bool asks_between(const load& client, instant from, instant until) {
    const auto& all = client.heard().operations();
    return std::any_of(all.begin(), all.end(), [&](const check::operation& one) {
        return one.called >= from && one.called < until;
    });
}

/// Again and again.
void kill_primaries(five_machines& s) {
    for (unsigned run = runs_now(of_a_row); run > 0; --run) {
        kill_the_primary(s);
    }
    CHECK(s.servers.done().kills == s.servers.done().starts);
}

} // namespace

TEST_CASE("S24, S19: two clients that know one address each, and the primary is killed") {
    if (network::is_impossible()) {
        return;
    }
    five_machines s{1, "kill -9 of the primary, 2 clients and 3 servers on 5 machines"};
    kill_primaries(s);
}

TEST_CASE("S24, H13: all UDP is dropped, and the primary is killed") {
    if (network::is_impossible()) {
        return;
    }
    five_machines s{1, "kill -9 of the primary, all UDP dropped, 5 machines"};
    s.wires.cut(s.all_but({}), s.all_but({}), traffic::udp);
    kill_primaries(s);
    // What the clients and the servers had to say to one another.
    CHECK(s.wires.dropped() > 0);
    CHECK(s.table.told_by(client::source::beacon) == 0);
}

TEST_CASE("H6: the primary's network is cut both ways, and clients on its side hear nothing") {
    if (network::is_impossible()) {
        return;
    }
    five_machines s{6, "network of the primary cut both ways for 5 s, a client on either side"};
    for (unsigned run = runs_now(of_a_long_row); run > 0; --run) {
        s.begin();
        const auto before = s.office;
        const std::vector<machine> minority{five_machines::machine_of(before.primary),
                                            five_machines::first_client};
        s.wires.cut(minority, s.all_but(minority));
        const instant cut = net::monotonic_now();
        const load& late = s.add_client(five_machines::first_client, before.primary);
        s.wait_for_another();
        const instant deposed = net::monotonic_now();
        s.second->goes_on();
        s.until_fault_lasted(5s, *s.second);
        CHECK(s.wires.dropped() > 0);
        const instant whole_again = net::monotonic_now();
        s.wires.heal();
        s.end();
        s.table.note("gap of the client on the other side",
                     check::longest_gap(s.second->heard(), s.fault_at, whole_again).length);
        // A.3: the minority confirms nothing that it had not confirmed before, and answers no read.
        CHECK(asks_between(late, cut, whole_again));
        CHECK(answers_between(late, cut, whole_again) == 0);
        CHECK(answers_between(*s.first, deposed, whole_again) == 0);
        CHECK(s.office.epoch > before.epoch);
    }
}

TEST_CASE("H8: the primary cannot receive") {
    if (network::is_impossible()) {
        return;
    }
    five_machines s{8, "one-way: the primary cannot receive for 5 s"};
    for (unsigned run = runs_now(of_a_long_row); run > 0; --run) {
        s.begin();
        const auto before = s.office;
        const machine deaf = five_machines::machine_of(before.primary);
        s.wires.drop(s.all_but({deaf}), {deaf});
        s.wait_for_another();
        s.all_go_on();
        s.until_fault_lasted(5s, *s.first);
        CHECK(s.wires.dropped() > 0);
        s.wires.heal();
        s.end();
        CHECK(s.office.epoch > before.epoch);
    }
}

TEST_CASE("H9: a backup cannot receive, and nobody is elected") {
    if (network::is_impossible()) {
        return;
    }
    const auto length = at_full_scale() ? 60s : 5s;
    five_machines s{9, fmt::format("one-way: a backup cannot receive for {} s", length.count())};
    for (unsigned run = runs_now(of_a_long_row); run > 0; --run) {
        s.begin();
        const auto before = s.office;
        const machine deaf = five_machines::machine_of(s.a_backup());
        s.wires.drop(s.all_but({deaf}), {deaf});
        s.all_go_on();
        s.until_fault_lasted(length, *s.first);
        CHECK(s.wires.dropped() > 0);
        s.wires.heal();
        s.end();
        // D.4: it asks, and the others refuse.
        CHECK(s.office.epoch == before.epoch);
    }
    CHECK(s.table.all().unknown == 0);
}

} // namespace almenara::test
