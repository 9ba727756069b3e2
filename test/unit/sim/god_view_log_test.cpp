#include "unit/sim/god_view_stand.hpp"

#include <catch2/catch_all.hpp>

#include <memory>

/// What may go wrong with logs.
namespace almenara::sim::check {

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

} // namespace almenara::sim::check
