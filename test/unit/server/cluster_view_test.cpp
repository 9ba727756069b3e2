#include "server/cluster_view.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

// cli: what status says, and what clients are told of the cluster.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using wire::server_role;
using wire::server_state;

constexpr server_id one{1};
constexpr server_id two{2};
constexpr server_id three{3};

/// Server 3 of three, with links to both others.
class scene {
  public:
    scene() {
        for (const server_id id : {one, two, three}) {
            config.members.push_back({.id = id});
            addresses.learn(id, {"host:" + std::to_string(id.value())});
        }
        status.role = replica::role_name::primary;
        status.epoch = epoch{7};
        status.durable.cluster = cluster_id{};
        status.last.index = log_index{100};
        status.durable_upto = log_index{98};
        status.commit = log_index{97};
        status.config_index = log_index{1};
        status.reach = 3;
        status.in_sync = true;
        for (const server_id id : {one, two}) {
            status.peers.push_back({.id = id,
                                    .open = true,
                                    .match = log_index{90},
                                    .in_sync = true,
                                    .last_heard = now - 250ms,
                                    .priority = 9});
        }
    }
    void is_backup_of(server_id primary) {
        status.role = replica::role_name::backup;
        status.known_primary = primary;
        status.in_sync = false;
    }
    void knows_no_cluster() {
        has_config = false;
        status.role = replica::role_name::boot;
        status.durable.cluster.reset();
    }

    [[nodiscard]] cluster_view view() const {
        return {.self = three,
                .status = status,
                .config = has_config ? &config : nullptr,
                .listed = listed,
                .addresses = addresses,
                .priority = 5,
                .now = now,
                .wall = wall_time{10s}};
    }
    [[nodiscard]] wire::server_status of(server_id id) const {
        for (const wire::server_status& shown : status_of(view()).servers) {
            if (shown.id == id) {
                return shown;
            }
        }
        FAIL("server " << id.value() << " is not shown");
        return {};
    }

    replica::cluster_config config;
    bool has_config = true;
    replica::core_status status;
    std::vector<server_id> listed;
    address_book addresses;
    instant now{1h};
};

} // namespace

TEST_CASE("cli: a primary says how everybody keeps up") {
    scene s;
    const wire::status_reply told = status_of(s.view());
    CHECK(told.primary == three);
    CHECK(told.epoch == epoch{7});
    CHECK(told.quorum == true);
    CHECK(told.tolerates == 1U);
    CHECK(told.commit == log_index{97});
    CHECK(told.config_index == log_index{1});
    REQUIRE(told.servers.size() == 3);

    CHECK(s.of(three).role == server_role::primary);
    CHECK(s.of(three).state == server_state::in_sync);
    CHECK(s.of(three).lag == 2U);
    CHECK(s.of(three).priority == 5);
    CHECK(s.of(three).version.has_value());
    CHECK(s.of(one).role == server_role::backup);
    CHECK(s.of(one).address == "host:1");
    CHECK(s.of(one).match == log_index{90});
    CHECK(s.of(one).lag == 10U);
    CHECK(s.of(one).last_heard == wall_time{9750ms});
    CHECK(s.of(one).priority == 9);
    CHECK_FALSE(s.of(one).version.has_value());
}

TEST_CASE("cli: each state of a server has its word") {
    scene s;
    replica::peer_status& peer = s.status.peers.front();
    SECTION("in sync") {
        CHECK(s.of(one).state == server_state::in_sync);
    }
    SECTION("lagging") {
        peer.in_sync = false;
        CHECK(s.of(one).state == server_state::lagging);
    }
    SECTION("catching up") {
        peer.in_sync = false;
        peer.over_bulk = true;
        CHECK(s.of(one).state == server_state::catching_up);
    }
    SECTION("draining, whatever else") {
        peer.draining = true;
        CHECK(s.of(one).state == server_state::draining);
    }
    SECTION("sick, whatever else") {
        peer.draining = true;
        peer.sick = true;
        CHECK(s.of(one).state == server_state::sick);
    }
    SECTION("down") {
        peer.open = false;
        CHECK(s.of(one).state == server_state::down);
        CHECK_FALSE(s.of(one).role.has_value());
        CHECK_FALSE(s.of(one).match.has_value());
        CHECK(s.of(one).last_heard == wall_time{9750ms});
        CHECK(s.of(one).priority == 9);
    }
    SECTION("this one: sick") {
        s.status.damaged = replica::damage{};
        CHECK(s.of(three).state == server_state::sick);
    }
    SECTION("this one: draining") {
        s.status.draining = true;
        CHECK(s.of(three).state == server_state::draining);
    }
}

TEST_CASE("cli: what a backup cannot know is absent, and that a server is down it knows") {
    scene s;
    s.is_backup_of(two);
    CHECK(status_of(s.view()).primary == two);
    CHECK(s.of(two).role == server_role::primary);
    CHECK_FALSE(s.of(two).state.has_value());
    CHECK_FALSE(s.of(two).lag.has_value());
    CHECK_FALSE(s.of(three).state.has_value());
    s.status.peers.front().open = false;
    CHECK(s.of(one).state == server_state::down);
}

TEST_CASE("cli: without a majority or a primary there is no quorum, and nobody more may die") {
    scene s;
    s.status.reach = 1;
    CHECK(status_of(s.view()).quorum == false);
    CHECK(status_of(s.view()).tolerates == 0U);
    s.status.reach = 2;
    CHECK(status_of(s.view()).quorum == true);
    CHECK(status_of(s.view()).tolerates == 0U);
    s.is_backup_of(two);
    s.status.known_primary.reset();
    CHECK(status_of(s.view()).quorum == false);
    CHECK_FALSE(status_of(s.view()).primary.has_value());
}

TEST_CASE("cli: whom nobody can bring up to date counts as one who died") {
    scene s;
    CHECK(status_of(s.view()).tolerates == 1U);
    s.status.peers.front().out_of_reach = true;
    CHECK(status_of(s.view()).tolerates == 0U);
    CHECK(status_of(s.view()).quorum == true);
}

TEST_CASE("B.10: why a primary cannot hand over is said") {
    scene s;
    CHECK(why_no_transfer(s.view(), {}) ==
          "no other server is in the sync set, so nobody could take over");
    s.status.peers.back().can_succeed = true;
    CHECK_FALSE(why_no_transfer(s.view(), {}).has_value());
    CHECK_FALSE(why_no_transfer(s.view(), two).has_value());
    s.status.peers.front().open = false;
    CHECK(why_no_transfer(s.view(), one) == "server 1 cannot take over now: it is down");
    s.status.handing_over = true;
    CHECK(why_no_transfer(s.view(), two) == "server 3 is handing over already");
}

TEST_CASE("cli: a server without a cluster shows whom it was told of") {
    scene s;
    s.knows_no_cluster();
    SECTION("nobody") {
        const wire::status_reply told = status_of(s.view());
        REQUIRE(told.servers.size() == 1);
        CHECK(told.servers.front().role == server_role::boot);
        CHECK_FALSE(told.cluster.has_value());
        CHECK_FALSE(told.commit.has_value());
    }
    SECTION("a list") {
        s.listed = {one, two, three};
        s.status.peers.front().open = false;
        CHECK(status_of(s.view()).servers.size() == 3);
        CHECK(s.of(one).state == server_state::down);
        CHECK(s.of(two).role == server_role::boot);
    }
}

TEST_CASE("S22: members are those of the config, and up who is linked") {
    scene s;
    s.status.peers.back().open = false;
    const auto states = states_of(s.view());
    REQUIRE(states.size() == 3);
    CHECK(states[0].up);
    CHECK_FALSE(states[1].up);
    CHECK(states[2].up);
    CHECK(states[2].role == server_role::primary);
    CHECK(states[1].addresses == std::vector<std::string>{"host:2"});
    CHECK(members_of(s.view()).size() == 3);
}

TEST_CASE("S22: clients are told again when somebody rules, comes or goes, and not else") {
    scene s;
    const cluster_known before = known_of(s.view());
    s.status.commit = log_index{99};
    s.status.peers.front().match = log_index{99};
    CHECK(known_of(s.view()) == before);
    SECTION("an epoch") {
        s.status.epoch = epoch{8};
    }
    SECTION("a role") {
        s.is_backup_of(two);
    }
    SECTION("a link") {
        s.status.peers.front().open = false;
    }
    SECTION("a config") {
        s.status.config_index = log_index{50};
    }
    CHECK(known_of(s.view()) != before);
}

} // namespace almenara::server
