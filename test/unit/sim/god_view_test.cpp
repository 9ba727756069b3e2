#include "unit/sim/god_view_stand.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <utility>

/// What is right, and what may go wrong in elections.
namespace almenara::sim::check {

// -- What is right --------------------------------------------------------------------------------

TEST_CASE("B.14 an election, writes and a change of primary break nothing") {
    at_work cluster;
    cluster.confirm(3, cluster.first);
    cluster.apply(3, 1);
    cluster.apply(3, 2);
    cluster.ack(1, 3, 2);
    const auto tail = cluster.append(3, 2); // nobody else hears of it
    cluster.restart(3, tail - 1);
    cluster.elect(2, 3);
    cluster.replicate(2, 3);
    cluster.confirm(2, 3);
    CHECK(cluster.broken() == nothing);
}

TEST_CASE("B.14 an uncommitted tail may be truncated and written over") {
    at_work cluster;
    cluster.append(1, 2);
    cluster.sync_log(1);
    cluster.elect_by({2, 3}, 2, 3);
    cluster.follow(1, 2, 3);
    cluster.truncate(1, cluster.first);
    cluster.replicate(2, 3);
    CHECK(cluster.broken() == nothing);
}

TEST_CASE("B.6 one that is in office late need not know what a later primary committed") {
    at_work cluster;
    cluster.claim(1, 3);
    cluster.decide(1, 1, 3);
    cluster.sync_meta(1);
    cluster.decide(3, 1, 3);
    cluster.sync_meta(3);
    cluster.promise(3, 1, 3);
    // The promise is on its way while 2 wins epoch 4 with 3.
    cluster.claim(2, 4);
    for (const unsigned voter : {2U, 3U}) {
        cluster.decide(voter, 2, 4);
        cluster.sync_meta(voter);
    }
    cluster.promise(3, 2, 4);
    cluster.enter_office(2, 4);
    const auto index = cluster.append(2, 4);
    cluster.copy(3, 2, index);
    cluster.sync_log(2);
    cluster.sync_log(3);
    cluster.commit(2, index);
    cluster.enter_office(1, 3);
    CHECK(cluster.broken() == nothing);
}

// -- Elections ------------------------------------------------------------------------------------

TEST_CASE("I1 a second primary of an epoch is found") {
    at_work cluster;
    cluster.enter_office(2, 2);
    CHECK(cluster.broken() == "I1");
}

TEST_CASE("I1 who speaks as primary and is none is found") {
    at_work cluster;
    replica::output out;
    out.send.push_back({.peer = id_of(1),
                        .epoch = epoch{2},
                        .message = std::make_shared<const replica::message>(
                            replica::heartbeat{.primary = id_of(2)})});
    cluster.turn(2, out);
    CHECK(cluster.broken() == "I1");
}

TEST_CASE("I1 whoever names a primary names the one of that epoch") {
    at_work cluster;
    replica::output out;
    const auto say = [&](replica::message what) {
        out.send.push_back({.peer = id_of(1),
                            .epoch = epoch{2},
                            .message = std::make_shared<const replica::message>(std::move(what))});
    };
    SECTION("the right one") {
        say(replica::coordinator{.primary = id_of(3)});
        say(replica::log_chunk{.session = replica::link_session{}});
        out.announce = replica::announcement{.epoch = epoch{2}, .primary = id_of(3)};
        cluster.turn(3, out);
        CHECK(cluster.broken() == nothing);
    }
    SECTION("a backup may help a prospect with entries") {
        say(replica::log_chunk{.generation = replica::generation{1}});
        out.announce = replica::announcement{.epoch = epoch{2}, .primary = id_of(3)};
        cluster.turn(2, out);
        CHECK(cluster.broken() == nothing);
    }
    SECTION("COORDINATOR") {
        say(replica::coordinator{.primary = id_of(2)});
        cluster.turn(2, out);
        CHECK(cluster.broken() == "I1");
    }
    SECTION("catch-up") {
        say(replica::log_chunk{.session = replica::link_session{}});
        cluster.turn(2, out);
        CHECK(cluster.broken() == "I1");
    }
    SECTION("to clients") {
        out.announce = replica::announcement{.epoch = epoch{2}, .primary = id_of(2)};
        cluster.turn(2, out);
        CHECK(cluster.broken() == "I1");
    }
    SECTION("to clients, of an epoch without one") {
        out.announce = replica::announcement{.epoch = epoch{3}, .primary = id_of(3)};
        cluster.turn(2, out);
        CHECK(cluster.broken() == "I1");
    }
}

TEST_CASE("I2 a promise that leaves before its sync is found") {
    told_cluster cluster;
    cluster.claim(3, 2);
    cluster.decide(1, 3, 2);
    cluster.promise(1, 3, 2);
    CHECK(cluster.broken() == "I2");
}

TEST_CASE("I2 an answer in an epoch that is not durable is found, a claim is none") {
    told_cluster cluster;
    cluster.claim(3, 2);
    CHECK(cluster.broken() == nothing);
    cluster.at(1).status.epoch = epoch{2};
    cluster.ack(1, 3, 1);
    CHECK(cluster.broken() == "I2");
}

TEST_CASE("I2 an epoch that the log had at the start is durable, whatever meta says") {
    told_cluster cluster;
    cluster.elect_by({2, 3}, 3, 2);
    const auto index = cluster.append(3, 2);
    cluster.copy(1, 3, index);
    cluster.sync_log(1); // and it dies before its meta says epoch 2
    cluster.restart(1, index);
    cluster.at(1).status.epoch = epoch{2};
    cluster.ack(1, 3, index);
    CHECK(cluster.broken() == nothing);
}

TEST_CASE("I2 a durable epoch that falls is found") {
    at_work cluster;
    cluster.god().meta_durable(id_of(1), {.epoch = epoch{1}});
    CHECK(cluster.broken() == "I2");
}

TEST_CASE("I2 a start that forgot an epoch is found") {
    at_work cluster;
    cluster.at(1).disk.epoch = epoch{1};
    cluster.restart(1, cluster.first);
    CHECK(cluster.broken() == "I2");
}

TEST_CASE("I3 a second promise in an epoch is found") {
    told_cluster cluster;
    cluster.claim(3, 2);
    cluster.decide(1, 3, 2);
    cluster.sync_meta(1);
    cluster.restart(1, 1);
    cluster.claim(2, 2);
    cluster.decide(1, 2, 2);
    cluster.sync_meta(1);
    CHECK(cluster.broken() == "I3");
}

TEST_CASE("I3 a promise to a later process of the same server is a second one") {
    told_cluster cluster;
    cluster.claim(3, 2);
    cluster.decide(1, 3, 2);
    cluster.sync_meta(1);
    cluster.restart(3, 1);
    cluster.decide(1, 3, 2);
    cluster.sync_meta(1);
    CHECK(cluster.broken() == "I3");
}

TEST_CASE("I6 a promise to a shorter log is found") {
    at_work cluster;
    cluster.append(1, 2);
    cluster.claim(2, 3);
    cluster.decide(1, 2, 3);
    CHECK(cluster.broken() == "I6");
}

TEST_CASE("I20 an office with too few promises is found") {
    told_cluster cluster;
    cluster.claim(3, 2);
    cluster.decide(3, 3, 2);
    cluster.sync_meta(3);
    cluster.enter_office(3, 2);
    CHECK(cluster.broken() == "I20");
}

TEST_CASE("I20 the promise of a server with another disk counts for nobody") {
    told_cluster cluster;
    cluster.at(1).disk = {};
    cluster.god().disk_replaced(id_of(1));
    cluster.restart(1, 1);
    SECTION("it was needed") {
        cluster.elect_by({1, 3}, 3, 2);
        CHECK(cluster.broken() == "I20");
    }
    SECTION("others are enough") {
        cluster.elect_by({2, 3}, 3, 2);
        CHECK(cluster.broken() == nothing);
    }
}

TEST_CASE("I25 an office before the own promise is durable is found") {
    told_cluster cluster;
    cluster.claim(3, 2);
    cluster.decide(3, 3, 2);
    for (const unsigned voter : {1U, 2U}) {
        cluster.decide(voter, 3, 2);
        cluster.sync_meta(voter);
        cluster.promise(voter, 3, 2);
    }
    cluster.enter_office(3, 2);
    CHECK(cluster.broken() == "I25");
}

TEST_CASE("I25 an office of one that must not run is found") {
    told_cluster cluster;
    cluster.at(3).status.eligible = 0;
    cluster.elect(3, 2);
    CHECK(cluster.broken() == "I25");
}

} // namespace almenara::sim::check
