#include "unit/sim/god_view_stand.hpp"

#include <catch2/catch_all.hpp>

/// What may go wrong when a log is damaged.
namespace almenara::sim::check {

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
