#include "unit/replica/stand.hpp"

// B.8: what a server is after a start, and what `damaged` means until it is repaired.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

constexpr log_index at(std::uint64_t i) {
    return log_index{i};
}

history old_log() {
    return history{test::cluster_of(3)}.add(epoch{2}, 4);
}

/// What the primary of epoch 3 has.
history full_log() {
    return history{test::cluster_of(3)}.add(epoch{2}, 4).add(epoch{3}, 4);
}

/// Server 2 could read its log up to 5; it once reached `end`, if that is known.
stand damaged_stand(std::optional<log_end> end) {
    start_state start = started(test::cluster_of(3), two, old_log());
    start.found_damaged = damage{.from = at(6), .end = end};
    return stand{start};
}

/// The primary's entries from 6 on, and what it says of its commit index.
void repair(stand& s, log_index commit, epoch in = epoch{3}) {
    s.say(three,
          append{.primary = three,
                 .previous = full_log().at(at(5)),
                 .commit = commit,
                 .commit_epoch = full_log().at(commit).epoch,
                 .entries = full_log().between(at(6), at(9))},
          in);
}

} // namespace

TEST_CASE("B.8: a start is BACKUP without a primary, in the epoch of meta or the last entry") {
    start_state start = started(test::cluster_of(3), two, full_log());
    SECTION("meta is newer") {
        start.meta.epoch = epoch{9};
        CHECK(stand{start}.epoch_now() == epoch{9});
    }
    SECTION("the log is newer, and a promise of an older epoch is none") {
        start.meta.epoch = epoch{2};
        start.meta.promised_to = promised{.id = one, .incarnation = incarnation{1000}};
        stand s{start};
        CHECK(s.epoch_now() == epoch{3});
        CHECK(s.role() == role_name::backup);
        CHECK_FALSE(s.status().known_primary);
    }
}

TEST_CASE("B.8: no ELECTION before suspect_timeout after the start") {
    stand s{3};
    s.run(399ms);
    CHECK(s.role() == role_name::backup);
    s.run(52ms);
    CHECK(s.role() == role_name::prospect);
}

TEST_CASE("B.8: a start hurries when a majority, all who are connected, knows no primary") {
    stand s{3};
    SECTION("nobody does") {
        s.open(three);
        s.run(51ms);
        CHECK(s.count<election>(three) == 1);
    }
    SECTION("one does") {
        greeting hello = s.greeting_of(three);
        hello.knows_primary = true;
        s.accept(hello);
        s.open(one);
        s.run(399ms);
        CHECK(s.count<election>(three) == 0);
    }
    SECTION("too few are here") {
        const auto config = test::cluster_of(5);
        stand few{test::first_start(config, two)};
        few.open(three);
        few.run(399ms);
        CHECK(few.count<election>(three) == 0);
    }
}

TEST_CASE("B.8: commit begins at the applied index, and nothing is applied twice") {
    start_state start = started(test::cluster_of(3), two, old_log());
    start.applied = at(4);
    stand s{start};
    CHECK(s.status().commit == at(4));
    s.follow(three, epoch{3});
    repair(s, at(6));
    REQUIRE(s.applied.size() == 2);
    CHECK(s.applied[0]->index == at(5));
}

TEST_CASE("B.1: after an unclean boot a server is eligible 1 until it has caught up") {
    start_state start = started(test::cluster_of(3), two, old_log());
    start.unclean_boot = true;
    stand s{start};
    CHECK(s.status().eligible == 1);
    s.follow(three, epoch{3});
    repair(s, at(5));
    CHECK(s.status().eligible == 1); // That commit index is of an earlier epoch.
    repair(s, at(7));
    CHECK(s.status().eligible == 2);
}

TEST_CASE("B.8 damaged: the record is on the disk before the first write to the log") {
    stand s = damaged_stand(log_end{.epoch = epoch{2}, .index = at(8)});
    REQUIRE_FALSE(s.metas.empty());
    CHECK(s.metas.front().fields.damaged ==
          damage{.from = at(6), .end = log_end{.epoch = epoch{2}, .index = at(8)}});
    CHECK(s.status().durable.damaged);
    CHECK(s.writes.empty());
}

TEST_CASE("B.8 damaged: what meta remembers and what the scan found are one") {
    start_state start = started(test::cluster_of(3), two, old_log());
    start.meta.damaged = damage{.from = at(4), .end = log_end{.epoch = epoch{2}, .index = at(7)}};
    SECTION("a later scan finds a clean tail") {
        start.found_damaged.reset();
    }
    SECTION("a later scan finds less") {
        start.found_damaged =
            damage{.from = at(6), .end = log_end{.epoch = epoch{2}, .index = at(6)}};
    }
    stand s{start};
    REQUIRE(s.status().damaged);
    CHECK(s.status().damaged->from == at(4));
    CHECK(s.status().damaged->end == log_end{.epoch = epoch{2}, .index = at(7)});
    SECTION("UNKNOWN stays UNKNOWN") {
        start.meta.damaged->end.reset();
        start.found_damaged =
            damage{.from = at(6), .end = log_end{.epoch = epoch{2}, .index = at(6)}};
        CHECK_FALSE(stand{start}.status().damaged->end);
    }
}

TEST_CASE("B.8 damaged: a record whose cut was not made is acted on at the next start") {
    start_state start = started(test::cluster_of(3), two, old_log());
    start.meta.damaged =
        damage{.from = at(4), .end = log_end{.epoch = epoch{2}, .index = at(5)}, .uncut = true};
    stand s{start};
    CHECK(s.last() == old_log().at(at(3)));
    REQUIRE(s.writes.size() == 1);
    CHECK(s.writes[0].truncates);
    CHECK(s.writes[0].previous.index == at(3));
    REQUIRE(s.status().durable.damaged);
    CHECK_FALSE(s.status().durable.damaged->uncut);
    // From then on what stands there came by repair, was acked, and stays.
    start.meta.damaged->uncut = false;
    CHECK(stand{start}.last() == old_log().last());
}

TEST_CASE("B.8 damaged: it must not run, and its rank is the end of what it once held") {
    stand s = damaged_stand(log_end{.epoch = epoch{2}, .index = at(8)});
    s.open_all();
    CHECK(s.last_said<hello_ok>(three).from.rank == stand::rank(two, epoch{2}, at(8), 0));
    s.run(2s);
    CHECK(s.role() == role_name::backup);
    CHECK(s.count<election>(three) == 0);
}

TEST_CASE("B.8 damaged: while the end is UNKNOWN the rank is the last readable entry") {
    stand s = damaged_stand(std::nullopt);
    s.open_all();
    CHECK(s.last_said<hello_ok>(three).from.rank == stand::rank(two, epoch{2}, at(5), 0));
}

TEST_CASE("B.8 damaged: repaired by the primary, cleared by a commit index of its own epoch only") {
    stand s = damaged_stand(std::nullopt);
    s.follow(three, epoch{3});
    repair(s, at(5));
    CHECK(s.status().damaged);
    CHECK(s.last().index == at(9));
    s.heartbeat(three, epoch{3}, at(6), epoch{3});
    CHECK_FALSE(s.status().damaged);
    CHECK_FALSE(s.status().durable.damaged);
    CHECK(s.status().eligible == 2);
}

TEST_CASE("B.8 damaged: not cleared while the own disk is behind the commit index") {
    stand s = damaged_stand(std::nullopt);
    s.follow(three, epoch{3});
    s.disk_is_fast = false;
    repair(s, at(6));
    CHECK(s.status().damaged);
    while (s.log_syncs_due() > 0) {
        s.sync_log();
    }
    s.heartbeat(three, epoch{3}, at(6), epoch{3});
    CHECK_FALSE(s.status().damaged);
}

TEST_CASE("B.8 damaged: the clearing is synced before the first PROMISE after it") {
    stand s = damaged_stand(std::nullopt);
    s.follow(three, epoch{3});
    s.meta_is_fast = false;
    repair(s, at(6));
    s.heartbeat(three, epoch{3}, at(6), epoch{3});
    REQUIRE(s.meta_sync_due());
    CHECK(s.status().eligible == 0);
    s.pass(401ms);
    s.say(one, claim{.rank = stand::rank(one, epoch{3}, at(9))}, epoch{4});
    CHECK(s.count<promise>(one) == 0);
    s.sync_meta();
    REQUIRE(s.meta_sync_due());
    s.sync_meta();
    CHECK(s.last_said<promise>(one).granted);
    CHECK_FALSE(s.status().durable.damaged);
}

TEST_CASE("B.8 damaged: a new epoch of a primary does not clear it, nor a new link session") {
    stand s = damaged_stand(log_end{.epoch = epoch{2}, .index = at(8)});
    s.follow(three, epoch{3});
    s.heartbeat(three, epoch{3}, at(6), epoch{3});
    CHECK(s.status().damaged);
    s.close(three);
    s.open(three);
    s.heartbeat(three, epoch{3}, at(6), epoch{3});
    CHECK(s.status().damaged);
}

TEST_CASE("B.8: a damaged log is cut with the first write that repairs it") {
    stand s = damaged_stand(std::nullopt);
    s.follow(three, epoch{3});
    s.forget();
    repair(s, at(6));
    REQUIRE_FALSE(s.writes.empty());
    CHECK(s.writes[0].truncates);
    CHECK(s.writes[0].previous == old_log().last());
}

TEST_CASE("B.8: repair begins at k although the state is further, and applies nothing again") {
    start_state start = started(test::cluster_of(3), two, old_log());
    start.found_damaged = damage{.from = at(6), .end = log_end{.epoch = epoch{3}, .index = at(8)}};
    start.applied = at(7);
    stand s{start};
    CHECK(s.status().commit <= s.last().index);
    s.follow(three, epoch{3});
    repair(s, at(9));
    CHECK(s.status().commit == at(9));
    REQUIRE(s.applied.size() == 2);
    CHECK(s.applied[0]->index == at(8));
}

} // namespace almenara::replica
