#include "cluster/cluster.hpp"
#include "cluster/load.hpp"
#include "cluster/network.hpp"
#include "cluster/row.hpp"
#include "net/clock.hpp"
#include "support/check/gaps.hpp"
#include "support/check/merged.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// The rows of the reliability table that need a network (docs/testing.md).
namespace almenara::test {

namespace {

using namespace std::chrono_literals;

constexpr run_counts of_a_row{.few = 2, .many = 20};

machine machine_of(server_id which) {
    return machine{which.value()};
}

/// S24: two clients and three servers on five machines. S19: each client is told one address, the
/// first one the primary's and the second one a backup's.
class stage {
  public:
    static constexpr machine first_client{4};
    static constexpr machine second_client{5};

    /// `habits` are those of both clients.
    stage(unsigned number,
          const std::string& scenario,
          load_habits habits = {.writers = 8, .readers = 2})
        : table(number, scenario), habits_(std::move(habits)) {
        servers.start_all();
        office = servers.wait_until_in_sync();
        counted_upto_ = office.epoch;
    }

    void begin() {
        ++run_;
        clients_.clear();
        first = &add_client(first_client, office.primary);
        second = &add_client(second_client, a_backup());
        all_go_on();
        // Whoever is in office now, for it is the one who will be meant.
        office = servers.wait_until_in_sync();
        fault_at = net::monotonic_now();
    }

    /// One that begins now, and knows this server.
    load& add_client(machine where, server_id known) {
        constexpr std::uint32_t most_hands = 1000;
        load_habits habits = habits_;
        habits.prefix = prefix();
        habits.seed = run_;
        habits.network = wires.space(where);
        habits.first_client = 1 + static_cast<std::uint32_t>(clients_.size()) * most_hands;
        clients_.push_back(
            std::make_unique<load>(std::vector<std::string>{servers.address(known)}, habits));
        return *clients_.back();
    }

    /// Everything is well again: the clients end, and what they saw is judged as one.
    void end() {
        all_go_on();
        check::history all;
        instant ended;
        for (const auto& each : clients_) {
            each->finish();
            all = check::merged(all, each->heard());
            ended = each->ended();
        }
        office = servers.wait_until_in_sync();
        table.add(all, read_all(servers.addresses(), prefix()), fault_at, ended);
        table.add_elections(office.epoch.value() - counted_upto_.value());
        counted_upto_ = office.epoch;
    }

    void all_go_on() const {
        for (const auto& each : clients_) {
            each->goes_on(few_writes);
        }
    }

    /// Who is primary after the fault, and not the one before.
    cluster::office wait_for_another() {
        const auto after = servers.wait_for_primary(office.epoch);
        CHECK(after.primary != office.primary);
        table.note("somebody else says that it is primary", since_fault());
        return after;
    }

    /// The fault has lasted so long, and this client is served all the same.
    void until_fault_lasted(duration length, const load& served) const {
        eventually([&] { return since_fault() >= length; }, length + patience, "time passes");
        served.goes_on(1);
    }

    [[nodiscard]] duration since_fault() const { return net::monotonic_now() - fault_at; }

    [[nodiscard]] server_id a_backup() const {
        const auto backups = servers.others_than(office.primary);
        return backups[run_ % backups.size()];
    }

    [[nodiscard]] std::vector<machine> all_but(const std::vector<machine>& these) const {
        std::vector<machine> rest;
        for (const unsigned number : {1U, 2U, 3U, 4U, 5U}) {
            if (std::find(these.begin(), these.end(), machine{number}) == these.end()) {
                rest.push_back(machine{number});
            }
        }
        return rest;
    }

    row table;
    network wires{5};
    cluster servers{{.on = &wires}};
    cluster::office office;
    load* first = nullptr;
    load* second = nullptr;
    instant fault_at;

  private:
    static constexpr std::uint64_t few_writes = 100;

    [[nodiscard]] std::string prefix() const { return fmt::format("run {}/", run_); }

    load_habits habits_;
    std::vector<std::unique_ptr<load>> clients_; ///< of this run
    unsigned run_ = 0;
    epoch counted_upto_; ///< elections
};

std::size_t answers_between(const load& client, instant from, instant until) {
    const auto& all = client.heard().operations();
    const auto comes_then = [&](const check::operation& one) {
        return one.returned && *one.returned >= from && *one.returned < until;
    };
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), comes_then));
}

bool asks_between(const load& client, instant from, instant until) {
    const auto& all = client.heard().operations();
    return std::any_of(all.begin(), all.end(), [&](const check::operation& one) {
        return one.called >= from && one.called < until;
    });
}

/// While both clients write, again and again.
void kill_the_primary(stage& s) {
    for (unsigned run = runs_now(of_a_row); run > 0; --run) {
        s.begin();
        const server_id victim = s.office.primary;
        s.servers.kill({victim});
        s.wait_for_another();
        s.all_go_on();
        s.servers.start(victim);
        s.end();
    }
    CHECK(s.servers.done().kills == s.servers.done().starts);
}

} // namespace

TEST_CASE("S24, S19: two clients that know one address each, and the primary is killed") {
    if (network::is_impossible()) {
        return;
    }
    stage s{1, "kill -9 of the primary, 2 clients and 3 servers on 5 machines"};
    kill_the_primary(s);
}

TEST_CASE("S24: all UDP is dropped, and the primary is killed") {
    if (network::is_impossible()) {
        return;
    }
    stage s{1, "kill -9 of the primary, all UDP dropped, 5 machines"};
    s.wires.cut(s.all_but({}), s.all_but({}), traffic::udp);
    kill_the_primary(s);
}

TEST_CASE("H4: SIGSTOP of the primary for 3 s, on five machines") {
    if (network::is_impossible()) {
        return;
    }
    stage s{4, "SIGSTOP of the primary for 3 s, SIGCONT, 5 machines"};
    const unsigned runs = runs_now(of_a_row);
    for (unsigned run = runs; run > 0; --run) {
        s.begin();
        const auto before = s.office;
        s.servers.pause(before.primary);
        s.wait_for_another();
        s.all_go_on();
        s.until_fault_lasted(3s, *s.second);
        s.servers.resume(before.primary);
        s.end();
        CHECK(s.office.epoch > before.epoch);
    }
    CHECK(s.servers.done().pauses == runs);
}

TEST_CASE("H6: the primary's network is cut both ways, and clients on its side hear nothing") {
    if (network::is_impossible()) {
        return;
    }
    stage s{6, "network of the primary cut both ways for 5 s, a client on either side"};
    for (unsigned run = runs_now(of_a_row); run > 0; --run) {
        s.begin();
        const auto before = s.office;
        const std::vector<machine> minority{machine_of(before.primary), stage::first_client};
        s.wires.cut(minority, s.all_but(minority));
        const instant cut = net::monotonic_now();
        const load& late = s.add_client(stage::first_client, before.primary);
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
    stage s{8, "one-way: the primary cannot receive for 5 s"};
    for (unsigned run = runs_now(of_a_row); run > 0; --run) {
        s.begin();
        const auto before = s.office;
        const machine deaf = machine_of(before.primary);
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
    stage s{9, fmt::format("one-way: a backup cannot receive for {} s", length.count())};
    for (unsigned run = runs_now(of_a_row); run > 0; --run) {
        s.begin();
        const auto before = s.office;
        const machine deaf = machine_of(s.a_backup());
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
