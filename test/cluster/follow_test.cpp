#include "client/ways.hpp"
#include "cluster/directory.hpp"
#include "cluster/five_machines.hpp"
#include "net/clock.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>

/// C.2, C.3: how clients find the new primary, by each of their ways alone.
namespace almenara::test {

namespace {

using namespace std::chrono_literals;
using client::source;

constexpr run_counts of_a_way{.few = 1, .many = 20};

load_habits who_follow_by(client::ways follow) {
    return {.writers = 8, .readers = 2, .follow = follow};
}

/// Who looks up a name knows nothing else, and the servers keep what the name leads to.
five_machines_settings settings_for(source way, const directory& names) {
    five_machines_settings settings{.habits = who_follow_by({way})};
    if (way == source::directory) {
        settings.habits.instead_of = {{"/etc/hosts", names.hosts()}};
        settings.arguments = {"--on-primary-change", names.script()};
        settings.known = names.address();
    }
    return settings;
}

std::uint64_t told_by(const load& client, source way) {
    const auto found = client.told_by().find(way);
    return found == client.told_by().end() ? 0 : found->second;
}

/// Of the last run: both clients were told by this way, and by no other one.
void check_told_by(const five_machines& s, source way) {
    for (const load* const each : {s.first, s.second}) {
        INFO("by " << client::to_string(way));
        CHECK(told_by(*each, way) > 0);
        CHECK(each->told_by().size() == 1);
    }
}

/// The primary stands still until there is another one and the clients are served by that.
void pause_the_primary(five_machines& s) {
    s.begin();
    const auto before = s.office;
    s.servers.pause(before.primary);
    s.wait_for_another();
    s.all_go_on();
    s.until_fault_lasted(3s, *s.first);
    s.servers.resume(before.primary);
    s.end();
    CHECK(s.office.epoch > before.epoch);
}

} // namespace

TEST_CASE("S24, S19, S21: each way alone leads to the new primary when the old one is killed") {
    if (network::is_impossible()) {
        return;
    }
    const auto way = GENERATE(source::beacon, source::redirect, source::standby, source::members,
                              source::directory);
    const directory names;
    five_machines s{1,
                    fmt::format("kill -9 of the primary, followed by {} alone, 5 machines",
                                client::to_string(way)),
                    settings_for(way, names)};
    if (way == source::directory) {
        eventually([&] { return names.names_somebody(); }, "the directory names the primary");
    }
    for (unsigned run = runs_now(of_a_way); run > 0; --run) {
        kill_the_primary(s);
        check_told_by(s, way);
    }
}

TEST_CASE("H4, C.2, D.4: the beacon moves clients whose paused primary looks alive to TCP") {
    if (network::is_impossible()) {
        return;
    }
    const bool is_alone = GENERATE(true, false);
    const client::ways follow = is_alone ? client::ways{source::beacon} : client::all_ways;
    five_machines s{4,
                    fmt::format("SIGSTOP of the primary for 3 s, followed by {}, 5 machines",
                                is_alone ? "beacon alone" : "all ways"),
                    {.habits = who_follow_by(follow)}};
    for (unsigned run = runs_now(of_a_way); run > 0; --run) {
        pause_the_primary(s);
        if (is_alone) {
            check_told_by(s, source::beacon);
        }
    }
    CHECK(s.table.told_by(source::beacon) > 0);
}

TEST_CASE("H13: the beacon alone finds the primary when datagrams get through again") {
    if (network::is_impossible()) {
        return;
    }
    five_machines s{13,
                    "kill -9 of the primary, UDP cut for 3 s, followed by beacon alone",
                    {.habits = who_follow_by({source::beacon})}};
    for (unsigned run = runs_now(of_a_way); run > 0; --run) {
        s.begin();
        const server_id victim = s.office.primary;
        s.wires.cut(s.all_but({}), s.all_but({}), traffic::udp);
        s.servers.kill({victim});
        s.wait_for_another();
        const instant deposed = net::monotonic_now();
        s.until_fault_lasted(3s);
        CHECK(s.wires.dropped() > 0);
        const instant whole_again = net::monotonic_now();
        s.wires.heal();
        s.all_go_on();
        s.table.note("served after UDP gets through again", net::monotonic_now() - whole_again);
        s.servers.start(victim);
        s.end();
        check_told_by(s, source::beacon);
        for (const load* const each : {s.first, s.second}) {
            CHECK(answers_between(*each, deposed, whole_again) == 0);
        }
    }
}

} // namespace almenara::test
