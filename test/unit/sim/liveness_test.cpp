#include "sim/check/liveness.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace almenara::sim::check {

namespace {

using namespace std::chrono_literals;

const std::string nothing;
constexpr server_id one{1};
constexpr server_id two{2};
constexpr server_id three{3};

/// Faults have stopped at second 100; 1 and 2 are connected, 3 is lost.
struct calm {
    calm() { watch.faults_stopped(at(0ms), {one, two}); }

    static instant at(duration after) { return instant{100s} + after; }

    void backup(server_id id, duration after, const replica::output& out = {}) {
        replica::core_status status;
        status.role = replica::role_name::backup;
        status.epoch = epoch{7};
        watch.took(id, out, status, at(after));
    }

    void primary_out_of_reach_of(server_id other, server_id id, duration after) {
        replica::core_status status;
        status.role = replica::role_name::primary;
        status.epoch = epoch{7};
        status.peers = {{.id = other, .in_sync = true, .out_of_reach = true}};
        watch.took(id, {}, status, at(after));
    }

    void primary(server_id id, duration after, bool in_sync, std::uint64_t of = 7) {
        replica::core_status status;
        status.role = replica::role_name::primary;
        status.epoch = epoch{of};
        status.peers = {{.id = id == one ? two : one, .in_sync = in_sync}};
        watch.took(id, {}, status, at(after));
    }

    [[nodiscard]] std::string broken() const {
        return found.first() ? found.first()->invariant : std::string{};
    }

    findings found;
    liveness watch{found};
};

replica::output election(replica::election_reason why) {
    replica::output out;
    replica::election asks;
    asks.reason = why;
    out.send.push_back({.message = std::make_shared<const replica::message>(asks)});
    return out;
}

} // namespace

TEST_CASE("I21 to I24 hold for a cluster that finds its primary and keeps it") {
    calm run;
    run.backup(two, 100ms, election(replica::election_reason::silent));
    run.primary(two, 300ms, false);
    run.backup(one, 500ms);
    run.primary(two, 900ms, true);
    run.watch.clock(run.at(20s));
    run.primary(two, 20s, true);
    run.watch.over(run.at(30s), 0, {one, two});
    CHECK(run.broken() == nothing);
    CHECK(run.watch.satisfied());
}

TEST_CASE("I21 a cluster that finds no primary in time is found") {
    calm run;
    run.backup(one, 100ms);
    run.primary(three, 200ms, true); // of those who are cut off
    run.watch.clock(run.at(1999ms));
    CHECK(run.broken() == nothing);
    run.watch.clock(run.at(2s));
    CHECK(run.broken() == "I21");
}

TEST_CASE("I21 a primary that does not stay is found") {
    calm run;
    run.primary(two, 100ms, true);
    run.watch.clock(run.at(2s));
    SECTION("it leaves") {
        run.backup(two, 3s);
    }
    SECTION("another one comes") {
        run.primary(one, 3s, true, 8);
    }
    SECTION("it was elected again") {
        run.primary(two, 3s, true, 9);
    }
    CHECK(run.broken() == "I21");
}

TEST_CASE("I22 a member that never gets into the sync set is found") {
    calm run;
    run.primary(two, 100ms, false);
    run.watch.clock(run.at(9s));
    CHECK(run.broken() == nothing);
    run.watch.clock(run.at(10s));
    CHECK(run.broken() == "I22");
}

TEST_CASE("I22 a member that leaves the sync set again is found") {
    calm run;
    run.primary(two, 100ms, true);
    SECTION("not before there was time to settle") {
        run.primary(two, 500ms, false);
        run.primary(two, 900ms, true);
        run.watch.clock(run.at(2s));
        CHECK(run.broken() == nothing);
        CHECK(run.watch.satisfied());
    }
    SECTION("afterwards, for a moment") {
        run.watch.clock(run.at(2s));
        run.primary(two, 3s, false);
        CHECK(run.broken() == "I22");
    }
}

TEST_CASE("I21 B.8 a primary that cannot reach somebody may go, once") {
    calm run;
    run.primary(two, 100ms, true);
    run.watch.clock(run.at(2s));
    const bool reaches = GENERATE(true, false);
    if (!reaches) {
        run.primary_out_of_reach_of(one, two, 2100ms);
    }
    run.backup(two, 2400ms);
    CHECK(run.broken() == (reaches ? "I21" : nothing));
    SECTION("another one rules") {
        run.primary(one, 2500ms, true, 8);
        run.watch.clock(run.at(4400ms));
        CHECK(run.broken() == (reaches ? "I21" : nothing));
        run.primary(two, 5s, true, 9);
        CHECK(run.broken() == "I21");
    }
    SECTION("nobody does") {
        run.watch.clock(run.at(4400ms));
        CHECK(run.broken() == "I21");
    }
}

TEST_CASE("I21 a primary whose process ends did not stay") {
    calm run;
    run.primary(two, 100ms, true);
    run.watch.clock(run.at(2s));
    SECTION("it") {
        run.watch.ended(two, run.at(3s));
        CHECK(run.broken() == "I21");
    }
    SECTION("another one, which must come back") {
        run.backup(one, 2500ms);
        run.watch.ended(one, run.at(3s));
        CHECK(run.broken() == nothing);
        CHECK_FALSE(run.watch.satisfied());
        run.watch.clock(run.at(10s));
        CHECK(run.broken() == "I22");
    }
}

TEST_CASE("I22 a server that could run at the end and does not is found") {
    calm run;
    run.primary(two, 100ms, true);
    run.watch.clock(run.at(2s));
    SECTION("the lost one need not") {
        run.watch.over(run.at(20s), 0, {one, two});
        CHECK(run.broken() == nothing);
    }
    SECTION("one with a disk") {
        run.watch.over(run.at(20s), 0, {two, three});
        CHECK(run.broken() == "I22");
    }
}

TEST_CASE("I23 an operation that does not end is found") {
    calm run;
    run.primary(two, 100ms, true);
    run.watch.over(run.at(20s), 1, {one, two});
    CHECK(run.broken() == "I23");
}

TEST_CASE("I24 an election without a reason is found, a planned change is none") {
    calm run;
    run.primary(two, 100ms, true);
    run.watch.clock(run.at(2s));
    run.backup(three, 3s, election(replica::election_reason::silent)); // nobody can reach it
    run.backup(one, 3s, election(replica::election_reason::takeover));
    CHECK(run.broken() == nothing);
    run.backup(one, 3s, election(replica::election_reason::silent));
    CHECK(run.broken() == "I24");
}

} // namespace almenara::sim::check
