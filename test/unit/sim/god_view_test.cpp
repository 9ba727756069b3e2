#include "sim/check/god_view.hpp"

#include "unit/sim/told_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace almenara::sim::check {

namespace {

const std::string nothing;

/// Server 3 is primary of epoch 2, and its first entry is committed.
struct at_work : told_cluster {
    at_work() {
        elect(3, 2);
        first = replicate(3, 2);
        REQUIRE(broken() == nothing);
    }

    std::uint64_t first = 0;
};

replica::log_end end_at(std::uint64_t of, std::uint64_t index) {
    return {.epoch = epoch{of}, .index = log_index{index}};
}

} // namespace

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

// -- Logs -----------------------------------------------------------------------------------------

TEST_CASE("I4 a primary that removes its own entries is found") {
    at_work cluster;
    cluster.append(3, 2);
    cluster.truncate(3, cluster.first);
    CHECK(cluster.broken() == "I4");
}

TEST_CASE("I5 two entries with the same index and epoch are found") {
    at_work cluster;
    cluster.append(3, 2, 1);
    cluster.append(1, 2, 2);
    CHECK(cluster.broken() == "I5");
}

TEST_CASE("I5 an entry of an epoch below that of the one before it is found") {
    at_work cluster;
    cluster.append(1, 1);
    CHECK(cluster.broken() == "I5");
}

TEST_CASE("I5 a hash that is not the chain's is found") {
    at_work cluster;
    auto wrong = *cluster.at(3).log.back();
    const auto previous = replica::point_of(wrong);
    wrong.index = wrong.index.next();
    replica::output out;
    out.log.push_back(
        {.previous = previous, .entries = {std::make_shared<const replica::entry>(wrong)}});
    cluster.turn(3, out);
    CHECK(cluster.broken() == "I5");
}

TEST_CASE("I6 a primary without a committed entry is found") {
    told_cluster cluster;
    cluster.elect(3, 2);
    const auto index = cluster.append(3, 2);
    cluster.copy(1, 3, index);
    cluster.sync_log(1);
    cluster.sync_log(3);
    cluster.commit(3, index);
    REQUIRE(cluster.broken() == nothing);
    // The test looks only at the office: nobody claimed, so there is no log test to be broken.
    cluster.follow(1, 2, 3);
    cluster.follow(2, 2, 3);
    cluster.enter_office(2, 3);
    CHECK(cluster.broken() == "I6");
}

TEST_CASE("I6 an entry of an older epoch that is committed by count is found") {
    at_work cluster;
    const auto index = cluster.append(3, 2);
    cluster.restart(3, cluster.first);
    cluster.copy(1, 3, cluster.first);
    cluster.append(1, 2);
    cluster.sync_log(1);
    cluster.elect(1, 3);
    cluster.copy(2, 1, index);
    cluster.sync_log(2);
    cluster.commit(1, index);
    CHECK(cluster.broken() == "I6");
}

TEST_CASE("I7 a committed entry that is truncated is found") {
    at_work cluster;
    cluster.truncate(1, 1);
    CHECK(cluster.broken() == "I7");
}

TEST_CASE("I8 a commit index that falls is found") {
    at_work cluster;
    cluster.commit(3, 1);
    CHECK(cluster.broken() == "I8");
}

TEST_CASE("I8 a commit index beyond the log is found") {
    at_work cluster;
    cluster.commit(3, 9);
    CHECK(cluster.broken() == "I8");
}

TEST_CASE("I9 two different committed entries are found") {
    at_work cluster;
    const auto index = cluster.append(1, 2, 1);
    cluster.elect_by({2, 3}, 2, 3);
    cluster.follow(1, 2, 3);
    cluster.truncate(1, cluster.first);
    cluster.sync_log(1);
    cluster.append(2, 3);
    cluster.copy(3, 2, index);
    cluster.sync_log(2);
    cluster.sync_log(3);
    cluster.commit(2, index);
    cluster.append(1, 2, 1);
    cluster.commit(1, index);
    CHECK(cluster.broken() == "I9");
}

TEST_CASE("I9 two states of the same index are found") {
    at_work cluster;
    CHECK_FALSE(cluster.god().state_digest(id_of(1), log_index{2}, 7));
    CHECK_FALSE(cluster.god().state_digest(id_of(2), log_index{3}, 8));
    CHECK(cluster.god().state_digest(id_of(3), log_index{2}, 7));
    CHECK(cluster.broken() == nothing);
    CHECK(cluster.god().state_digest(id_of(2), log_index{2}, 8));
    CHECK(cluster.broken() == "I9");
}

TEST_CASE("I10 an entry that is applied and not committed is found") {
    at_work cluster;
    cluster.apply(3, 1);
    cluster.apply(3, 2);
    const auto index = cluster.append(3, 2);
    cluster.sync_log(3);
    CHECK(cluster.broken() == nothing);
    cluster.apply(3, index);
    CHECK(cluster.broken() == "I10");
}

TEST_CASE("I10 an entry that is applied twice is found") {
    at_work cluster;
    cluster.apply(3, 1);
    cluster.apply(3, 1);
    CHECK(cluster.broken() == "I10");
}

TEST_CASE("I10 an answer from an entry that is not committed is found") {
    at_work cluster;
    cluster.god().answered(id_of(3), log_index{cluster.first});
    CHECK(cluster.broken() == nothing);
    cluster.god().answered(id_of(3), log_index{cluster.first + 1});
    CHECK(cluster.broken() == "I10");
}

TEST_CASE("I11 an ack before the sync is found") {
    at_work cluster;
    const auto index = cluster.append(3, 2);
    cluster.copy(1, 3, index);
    cluster.ack(1, 3, index);
    CHECK(cluster.broken() == "I11");
}

TEST_CASE("I11 a backup that removes what it acked to its primary is found") {
    at_work cluster;
    const auto index = cluster.append(3, 2);
    cluster.copy(1, 3, index);
    cluster.sync_log(1);
    cluster.ack(1, 3, index);
    SECTION("in the same epoch") {
        cluster.truncate(1, cluster.first);
        CHECK(cluster.broken() == "I11");
    }
    SECTION("in a later one it may be right") {
        cluster.follow(1, 2, 3);
        cluster.truncate(1, cluster.first);
        CHECK(cluster.broken() == nothing);
    }
}

TEST_CASE("I11 a disk that forgot what it had synced is found") {
    at_work cluster;
    cluster.restart(1, 1);
    CHECK(cluster.broken() == "I11");
}

TEST_CASE("I13 an operation that takes effect twice is found") {
    at_work cluster;
    cluster.replicate(3, 2, 5);
    CHECK(cluster.broken() == nothing);
    cluster.replicate(3, 2, 5);
    CHECK(cluster.broken() == "I13");
}

TEST_CASE("I17 an entry that is committed behind the back of a later primary is found") {
    at_work cluster;
    const auto index = cluster.append(3, 2);
    cluster.copy(1, 3, index);
    cluster.sync_log(1);
    cluster.sync_log(3);
    // 2 wins epoch 3 by a vote that should have been refused.
    cluster.follow(1, 2, 3);
    cluster.follow(2, 2, 3);
    cluster.enter_office(2, 3);
    CHECK(cluster.broken() == nothing);
    cluster.commit(3, index);
    CHECK(cluster.broken() == "I17");
}

// -- Confirming -----------------------------------------------------------------------------------

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

// -- Damage ---------------------------------------------------------------------------------------

TEST_CASE("I26 a repair that begins before the damage is recorded is found") {
    at_work cluster;
    cluster.restart_damaged(1, 2, end_at(2, 2));
    cluster.copy(1, 3, 2);
    CHECK(cluster.broken() == nothing);
    cluster.sync_log(1);
    CHECK(cluster.broken() == "I26");
}

TEST_CASE("I7 what cannot be read may go once the disk knows how long the log was") {
    at_work cluster;
    cluster.commit(1, 2);
    replica::damage found{.from = log_index{2}, .end = end_at(2, 2)};
    SECTION("it does") {
        cluster.finds_damage(1, found);
        cluster.sync_meta(1);
        cluster.truncate(1, 1);
        CHECK(cluster.broken() == nothing);
        cluster.commit(1, 3); // but it does not go on without a log
        CHECK(cluster.broken() == "I8");
    }
    SECTION("it does, but what was repaired since is another matter") {
        cluster.finds_damage(1, found);
        cluster.sync_meta(1);
        cluster.truncate(1, 1);
        cluster.copy(1, 3, 2);
        cluster.sync_log(1);
        CHECK(cluster.broken() == nothing);
        cluster.truncate(1, 1);
        CHECK(cluster.broken() == "I7");
    }
    SECTION("it says nothing of it") {
        replica::persistent meta = cluster.at(1).disk;
        meta.damaged = found;
        cluster.write_meta(1, meta);
        cluster.sync_meta(1);
        cluster.truncate(1, 1);
        CHECK(cluster.broken() == "I7");
    }
    SECTION("not yet") {
        cluster.finds_damage(1, found);
        cluster.truncate(1, 1);
        CHECK(cluster.broken() == "I7");
    }
    SECTION("it thinks that it was shorter") {
        found.end = end_at(1, 1);
        cluster.finds_damage(1, found);
        cluster.sync_meta(1);
        cluster.truncate(1, 1);
        CHECK(cluster.broken() == "I7");
    }
    SECTION("from further on") {
        found.from = log_index{3};
        cluster.finds_damage(1, found);
        cluster.sync_meta(1);
        cluster.truncate(1, 1);
        CHECK(cluster.broken() == "I7");
    }
}

TEST_CASE("I26 damage is forgotten only with all that was committed and once there") {
    at_work cluster;
    const auto last = cluster.replicate(3, 2);
    cluster.finds_damage(1, {.from = log_index{2}, .end = end_at(2, last)});
    cluster.sync_meta(1);
    cluster.truncate(1, 1);
    cluster.sync_log(1);
    cluster.copy(1, 3, cluster.first);
    cluster.sync_log(1);
    SECTION("too early, although it has an entry of the primary's epoch") {
        cluster.forgets_damage(1);
        CHECK(cluster.broken() == "I26");
    }
    SECTION("nor after a restart that finds what is left in order") {
        cluster.restart(1, cluster.first);
        cluster.forgets_damage(1);
        CHECK(cluster.broken() == "I26");
    }
    SECTION("by then") {
        cluster.copy(1, 3, last);
        cluster.sync_log(1);
        cluster.forgets_damage(1);
        CHECK(cluster.broken() == nothing);
    }
    SECTION("by then, and a record that says so may be there without a sync") {
        cluster.copy(1, 3, last);
        cluster.sync_log(1);
        cluster.forgets_damage(1);
        cluster.at(1).disk.damaged.reset();
        cluster.restart(1, last);
        CHECK(cluster.broken() == nothing);
    }
    SECTION("nor by a start without such a record") {
        cluster.copy(1, 3, last);
        cluster.sync_log(1);
        cluster.at(1).disk.damaged.reset();
        cluster.restart(1, last);
        CHECK(cluster.broken() == "I26");
    }
}

TEST_CASE("I11 damage takes nothing from before it, and no repair that was synced") {
    at_work cluster;
    const auto last = cluster.replicate(3, 2);
    SECTION("before it") {
        cluster.restart_damaged(1, last, end_at(2, last));
        CHECK(cluster.broken() == nothing);
        cluster.at(2).start.found_damaged = replica::damage{.from = log_index{last}};
        cluster.at(2).start.meta = cluster.at(2).disk;
        cluster.at(2).start.positions.resize(1);
        cluster.at(2).start.recent.resize(1);
        cluster.god().started(cluster.at(2).start);
        CHECK(cluster.broken() == "I11");
    }
    SECTION("a repair") {
        cluster.restart_damaged(1, 2, end_at(2, last));
        replica::persistent meta = cluster.at(1).disk;
        meta.damaged = cluster.at(1).start.found_damaged;
        cluster.write_meta(1, meta);
        cluster.sync_meta(1);
        cluster.copy(1, 3, 2);
        cluster.sync_log(1);
        CHECK(cluster.broken() == nothing);
        cluster.restart(1, 1);
        CHECK(cluster.broken() == "I11");
    }
}

TEST_CASE("I26 damage that is lowered is found") {
    at_work cluster;
    cluster.restart_damaged(1, 2, std::nullopt);
    replica::persistent meta = cluster.at(1).disk;
    meta.damaged = replica::damage{.from = log_index{2}};
    cluster.write_meta(1, meta);
    cluster.sync_meta(1);
    CHECK(cluster.broken() == nothing);
    meta.damaged->end = end_at(2, 2);
    cluster.write_meta(1, meta);
    CHECK(cluster.broken() == "I26");
}

TEST_CASE("I26 damage is forgotten only by one that has caught up") {
    at_work cluster;
    cluster.restart_damaged(1, 2, end_at(2, 2));
    replica::persistent meta = cluster.at(1).disk;
    meta.damaged = replica::damage{.from = log_index{2}, .end = end_at(2, 2)};
    cluster.write_meta(1, meta);
    cluster.sync_meta(1);
    meta.damaged.reset();
    SECTION("too early") {
        cluster.copy(1, 3, 2);
        cluster.write_meta(1, meta);
        CHECK(cluster.broken() == "I26");
    }
    SECTION("by then") {
        cluster.copy(1, 3, 2);
        cluster.sync_log(1);
        cluster.write_meta(1, meta);
        CHECK(cluster.broken() == nothing);
    }
}

TEST_CASE("I26 one that does not know how long its log was promises nobody") {
    at_work cluster;
    cluster.restart_damaged(1, 2, std::nullopt);
    replica::persistent meta = cluster.at(1).disk;
    meta.damaged = replica::damage{.from = log_index{2}};
    cluster.write_meta(1, meta);
    cluster.sync_meta(1);
    cluster.claim(2, 3);
    cluster.decide(1, 2, 3);
    CHECK(cluster.broken() == "I26");
}

TEST_CASE("I6 a damaged log counts as long as it once was") {
    at_work cluster;
    const auto tail = cluster.append(1, 2);
    cluster.sync_log(1);
    cluster.restart_damaged(1, 2, end_at(2, tail));
    replica::persistent meta = cluster.at(1).disk;
    meta.damaged = replica::damage{.from = log_index{2}, .end = end_at(2, tail)};
    cluster.write_meta(1, meta);
    cluster.sync_meta(1);
    cluster.claim(2, 3);
    cluster.decide(1, 2, 3);
    CHECK(cluster.broken() == "I6");
}

} // namespace almenara::sim::check
