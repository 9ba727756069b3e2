#include "cluster/cluster.hpp"
#include "cluster/load.hpp"
#include "cluster/row.hpp"
#include "net/clock.hpp"
#include "support/check/gaps.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// The reliability table (docs/testing.md): each row again and again in one cluster, so that every
/// run begins with what the one before left behind.
namespace almenara::test {

namespace {

using namespace std::chrono_literals;

/// A cluster with a load for each run.
class stage {
  public:
    stage(unsigned number, const std::string& scenario) : table(number, scenario) {
        servers.start_all();
        office = servers.wait_until_in_sync();
        counted_upto_ = office.epoch;
    }

    void begin(load_habits habits = {}) {
        ++run_;
        habits.prefix = fmt::format("run {}/", run_);
        habits.seed = run_;
        prefix_ = habits.prefix;
        clients = std::make_unique<load>(servers.addresses(), habits);
        clients->goes_on();
        // Whoever is in office now, for it is the one who will be meant.
        office = servers.wait_until_in_sync();
        fault_at = net::monotonic_now();
    }

    /// Everybody runs again: the clients end, and what they saw is judged.
    void end() {
        clients->goes_on();
        clients->finish();
        office = servers.wait_until_in_sync();
        table.add(*clients, read_all(servers.addresses(), prefix_), fault_at);
        table.add_elections(office.epoch.value() - counted_upto_.value());
        counted_upto_ = office.epoch;
        for (const told_apart& part : parts_) {
            table.note(part.what,
                       check::longest_gap(clients->heard(), part.from, part.until).length);
        }
        parts_.clear();
        clients.reset();
    }

    /// The longest gap from then on until now is told of its own, too.
    void tell_apart(std::string what, instant from) {
        parts_.push_back({std::move(what), from, net::monotonic_now()});
    }

    /// How long ago the fault began.
    [[nodiscard]] duration since_fault() const { return net::monotonic_now() - fault_at; }

    [[nodiscard]] server_id a_backup() const {
        const auto backups = servers.others_than(office.primary);
        return backups[run_ % backups.size()];
    }

    /// So much time passes, and clients are still served.
    void while_served(duration length) {
        const instant until = net::monotonic_now() + length;
        eventually([until] { return net::monotonic_now() >= until; }, 2 * length + patience,
                   "time passes");
        clients->goes_on(1);
    }

    row table;
    cluster servers;
    cluster::office office;
    std::unique_ptr<load> clients;
    instant fault_at;

  private:
    struct told_apart {
        std::string what;
        instant from;
        instant until;
    };

    unsigned run_ = 0;
    epoch counted_upto_; ///< elections
    std::string prefix_;
    std::vector<told_apart> parts_;
};

constexpr run_counts of_a_row{.few = 2, .many = 20};
constexpr run_counts of_row_1_and_14{.few = 3, .many = 100};

} // namespace

TEST_CASE("H1: kill -9 of the primary under light load") {
    stage s{1, "kill -9 of the primary, light load"};
    for (unsigned run = runs_now(of_row_1_and_14); run > 0; --run) {
        s.begin();
        const auto before = s.office;
        s.servers.kill({before.primary});
        const auto after = s.servers.wait_for_primary(before.epoch);
        CHECK(after.primary != before.primary);
        s.table.note("somebody else says that it is primary", s.since_fault());
        s.clients->goes_on();
        s.servers.start(before.primary);
        s.end();
        CHECK(s.office.epoch > before.epoch);
    }
    CHECK(s.servers.done().kills == s.servers.done().starts);
}

TEST_CASE("H3: kill -9 of a backup") {
    stage s{3, "kill -9 of one backup"};
    for (unsigned run = runs_now(of_a_row); run > 0; --run) {
        s.begin();
        const server_id victim = s.a_backup();
        s.servers.kill({victim});
        s.clients->goes_on();
        s.servers.start(victim);
        s.end();
    }
    CHECK(s.servers.done().kills == s.servers.done().starts);
    CHECK(s.table.all().unknown == 0);
}

TEST_CASE("H4: SIGSTOP of the primary for 5 s") {
    stage s{4, "SIGSTOP of the primary for 5 s, SIGCONT"};
    const unsigned runs = runs_now(of_a_row);
    for (unsigned run = runs; run > 0; --run) {
        s.begin();
        const auto before = s.office;
        s.servers.pause(before.primary);
        const auto after = s.servers.wait_for_primary(before.epoch);
        CHECK(after.primary != before.primary);
        s.clients->goes_on();
        s.while_served(std::max(duration{5s} - s.since_fault(), duration{0}));
        s.servers.resume(before.primary);
        // What it has in its hands from before must reach nobody: the judgement sees it.
        s.end();
        CHECK(s.office.epoch > before.epoch);
    }
    CHECK(s.servers.done().pauses == runs);
}

TEST_CASE("H5: SIGSTOP of a backup for 5 s") {
    stage s{5, "SIGSTOP of one backup for 5 s, SIGCONT"};
    const unsigned runs = runs_now(of_a_row);
    for (unsigned run = runs; run > 0; --run) {
        s.begin();
        const server_id victim = s.a_backup();
        s.servers.pause(victim);
        s.clients->goes_on();
        s.while_served(std::max(duration{5s} - s.since_fault(), duration{0}));
        s.servers.resume(victim);
        const instant back = net::monotonic_now();
        s.servers.wait_until_in_sync();
        s.table.note("back in sync after SIGCONT", net::monotonic_now() - back);
        s.end();
    }
    CHECK(s.servers.done().pauses == runs);
    CHECK(s.table.all().unknown == 0);
}

TEST_CASE("H14: kill -9 of all servers at once under load, and a restart") {
    stage s{14, "kill -9 of all at once under load, restart"};
    for (unsigned run = runs_now(of_row_1_and_14); run > 0; --run) {
        s.begin({.pause = 0ms, .deadline = 60s});
        const auto before = s.office;
        s.servers.kill(s.servers.ids());
        auto order = s.servers.ids();
        std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(run % order.size()),
                    order.end());
        instant second_is_up;
        for (const server_id id : order) {
            s.servers.start(id);
            second_is_up = id == order[1] ? net::monotonic_now() : second_is_up;
        }
        s.servers.wait_for_primary(before.epoch);
        s.table.note("somebody is primary after the second is up",
                     net::monotonic_now() - second_is_up);
        s.end();
    }
    CHECK(s.servers.done().kills == s.servers.done().starts);
}

TEST_CASE("H19: a server comes back after it missed many operations") {
    // 100,000 of them take a minute or more on a busy machine.
    const std::uint64_t missed = at_full_scale() ? 100'000 : 3'000;
    stage s{19, fmt::format("back after missing {} operations (suffix)", missed)};
    for (unsigned run = runs_now({.few = 1, .many = 20}); run > 0; --run) {
        s.begin({.writers = 64, .pause = 0ms});
        const server_id victim = s.a_backup();
        s.servers.kill({victim});
        const std::uint64_t before = s.clients->confirmed();
        s.clients->goes_on(missed);
        CHECK(s.clients->confirmed() - before >= missed);
        s.servers.start(victim);
        const instant back = net::monotonic_now();
        s.servers.wait_until_in_sync();
        s.table.note("in sync after its start", net::monotonic_now() - back);
        s.end();
    }
    CHECK(s.servers.done().kills == s.servers.done().starts);
    CHECK(s.table.all().unknown == 0);
}

TEST_CASE("H20: every server is stopped and started in turn under load") {
    stage s{20, "SIGTERM of each in turn under load"};
    for (unsigned run = runs_now(of_a_row); run > 0; --run) {
        s.begin();
        for (const server_id id : s.servers.ids()) {
            const bool has_office = s.servers.wait_until_in_sync().primary == id;
            const instant asked = net::monotonic_now();
            CHECK(s.servers.stop(id) == good_exit);
            s.table.note("a stop", net::monotonic_now() - asked);
            s.clients->goes_on();
            s.tell_apart(has_office ? "gap when the primary stops" : "gap when a backup stops",
                         asked);
            const instant started = net::monotonic_now();
            s.servers.start(id);
            s.servers.wait_until_in_sync();
            s.tell_apart("gap when it is back", started);
        }
        s.end();
    }
    CHECK(s.servers.done().stops == s.servers.done().starts);
    CHECK(s.table.all().unknown == 0);
}

} // namespace almenara::test
