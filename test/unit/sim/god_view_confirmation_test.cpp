#include "unit/sim/god_view_stand.hpp"

#include <catch2/catch_all.hpp>

/// What may go wrong when something is confirmed.
namespace almenara::sim::check {

TEST_CASE("I18 a confirmation that a majority does not have on disk is found") {
    at_work cluster;
    const auto index = cluster.append(3, 2);
    cluster.sync_log(3);
    cluster.copy(1, 3, index);
    cluster.commit(3, index);
    cluster.confirm(3, index);
    CHECK(cluster.broken() == "I18");
}

TEST_CASE("I18 a confirmation that a member of the sync set does not have is found") {
    at_work cluster;
    cluster.at(3).status.peers = {{.id = id_of(1), .in_sync = true},
                                  {.id = id_of(2), .in_sync = true}};
    const auto index = cluster.append(3, 2);
    cluster.sync_log(3);
    cluster.copy(1, 3, index);
    cluster.sync_log(1);
    cluster.commit(3, index);
    SECTION("while 2 is in the set") {
        cluster.confirm(3, index);
        CHECK(cluster.broken() == "I18");
    }
    SECTION("not once it is out") {
        cluster.at(3).status.peers[1].in_sync = false;
        cluster.confirm(3, index);
        CHECK(cluster.broken() == nothing);
    }
}

TEST_CASE("I18 a primary that is in its own sync set waits for its own disk") {
    at_work cluster;
    const auto index = cluster.append(3, 2);
    for (const unsigned id : {1U, 2U}) {
        cluster.copy(id, 3, index);
        cluster.sync_log(id);
    }
    cluster.commit(3, index);
    SECTION("it is in it") {
        cluster.at(3).status.in_sync = true;
        cluster.turn(3);
        cluster.confirm(3, index);
        CHECK(cluster.broken() == "I18");
    }
    SECTION("its disk is slow, and it is out") {
        cluster.confirm(3, index);
        CHECK(cluster.broken() == nothing);
    }
}

TEST_CASE("I20 a match of a server with another disk is found, and its disk counts for nothing") {
    at_work cluster;
    cluster.at(1).disk = {};
    cluster.god().disk_replaced(id_of(1));
    cluster.restart(1, 1);
    const replica::link_session session{
        .dialler = replica::incarnation{1}, .acceptor = replica::incarnation{2}, .counter = 2};
    cluster.at(1).status.peers = {{.id = id_of(3), .session = session}};
    cluster.turn(1);
    auto& primary = cluster.at(3).status;
    primary.peers = {{.id = id_of(1), .session = session}};
    cluster.turn(3);
    CHECK(cluster.broken() == nothing);
    SECTION("a match") {
        primary.peers[0].match = log_index{1};
        cluster.turn(3);
        CHECK(cluster.broken() == "I20");
    }
    SECTION("of the session that it had with the disk before") {
        primary.peers[0].match = log_index{1};
        primary.peers[0].session->counter = 1;
        cluster.turn(3);
        CHECK(cluster.broken() == nothing);
    }
    SECTION("a majority with it") {
        const auto index = cluster.append(3, 2);
        cluster.sync_log(3);
        cluster.copy(1, 3, index);
        cluster.sync_log(1);
        cluster.commit(3, index);
        cluster.confirm(3, index);
        CHECK(cluster.broken() == "I18");
    }
}

TEST_CASE("I20 an ack of an old link session that is counted in a new one is found") {
    at_work cluster;
    const replica::link_session now{
        .dialler = replica::incarnation{1}, .acceptor = replica::incarnation{2}, .counter = 2};
    const auto index = cluster.append(3, 2);
    cluster.sync_log(3);
    auto& backup = cluster.at(1).status;
    backup.peers = {{.id = id_of(3), .session = now}};
    cluster.turn(1);
    auto& primary = cluster.at(3).status;
    primary.peers = {{.id = id_of(1), .session = now, .match = log_index{index}}};
    SECTION("in the same session") {
        cluster.turn(3);
        CHECK(cluster.broken() == "I20");
    }
    SECTION("a session that the other end has left says nothing") {
        backup.peers[0].session->counter = 3;
        cluster.turn(1);
        cluster.turn(3);
        CHECK(cluster.broken() == nothing);
    }
}

TEST_CASE("I18 an ack that was true when it was given counts, whatever happened to its disk") {
    at_work cluster;
    const auto index = cluster.append(3, 2);
    cluster.sync_log(3);
    cluster.copy(1, 3, index);
    cluster.sync_log(1);
    cluster.ack(1, 3, index); // and it is on its way for a while
    SECTION("damaged") {
        cluster.restart_damaged(1, 2, end_at(2, index));
    }
    SECTION("wiped") {
        cluster.at(1).disk = {};
        cluster.god().disk_replaced(id_of(1));
        cluster.restart(1, 1);
    }
    cluster.commit(3, index);
    cluster.confirm(3, index);
    CHECK(cluster.broken() == nothing);
}

TEST_CASE("I8 a state may be ahead of a log that is under repair") {
    at_work cluster;
    cluster.at(1).start.applied = log_index{2};
    cluster.restart_damaged(1, 2, end_at(2, 2));
    cluster.at(1).status.applied = log_index{2};
    cluster.turn(1);
    CHECK(cluster.broken() == nothing);
    cluster.at(1).status.applied = log_index{3};
    cluster.turn(1);
    CHECK(cluster.broken() == "I8");
}

} // namespace almenara::sim::check
