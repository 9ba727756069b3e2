#include "replica/log_view.hpp"
#include "unit/replica/stand.hpp"
#include "wire/codec.hpp"

// B.5, backups: what becomes of an APPEND.
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

/// Entry 1, then 2 to 5 of epoch 2; `log` goes on to 9 in epoch 3.
struct backup_of_three {
    backup_of_three()
        : config(test::cluster_of(3)),
          mine(history{config}.add(epoch{2}, 4)),
          log(history{config}.add(epoch{2}, 4).add(epoch{3}, 4)),
          s(started(config, two, mine)) {
        s.follow(three, epoch{3});
        s.forget();
    }
    cluster_config config;
    history mine;
    history log;
    stand s;
};

} // namespace

TEST_CASE("B.5 backup: APPEND_ACK leaves after the sync, with what is durable") {
    backup_of_three b;
    b.s.disk_is_fast = false;
    b.s.append(three, epoch{3}, b.log, at(6), at(8));
    CHECK(b.s.count<append_ack>(three) == 0);
    b.s.sync_log();
    CHECK(b.s.last_said<append_ack>(three).match == at(8));
}

TEST_CASE("B.5 backup: what is durable already is acked at once, its probe too") {
    backup_of_three b;
    b.s.disk_is_fast = false;
    b.s.say(three, append{.primary = three, .previous = b.log.at(at(5)), .probe = probe_number{12}},
            epoch{3});
    CHECK(b.s.last_said<append_ack>(three).match == at(5));
    CHECK(b.s.last_said<append_ack>(three).probe == probe_number{12});
}

TEST_CASE("B.5 backup 1: a gap is refused with MISMATCH and the own last index") {
    backup_of_three b;
    b.s.append(three, epoch{3}, b.log, at(8), at(9));
    const auto no = b.s.last_said<append_nack>(three);
    CHECK(no.reason == nack_reason::mismatch);
    CHECK(no.last_index == at(5));
    CHECK(b.s.last().index == at(5));
}

TEST_CASE("B.5 backup 1: another epoch there is refused with the first index of mine") {
    const auto config = test::cluster_of(3);
    const history mine = history{config}.add(epoch{2}, 2).add(epoch{3}, 4);
    const history log = history{config}.add(epoch{2}, 2).add(epoch{4}, 6);
    stand s{started(config, two, mine)};
    s.follow(three, epoch{4});
    s.append(three, epoch{4}, log, at(7), at(8));
    const auto no = s.last_said<append_nack>(three);
    CHECK(no.reason == nack_reason::mismatch);
    CHECK(no.hint == at(4));
    CHECK(s.last() == mine.last());
}

TEST_CASE(
    "B.5 backup 1: nobody is asked for what is committed, which others need not have any more") {
    const auto config = test::cluster_of(3);
    const history mine = history{config}.add(epoch{2}, 2).add(epoch{3}, 6);
    const history log = history{config}.add(epoch{2}, 2).add(epoch{3}, 3).add(epoch{4}, 6);
    replica::start_state start = started(config, two, mine);
    start.applied = at(5);
    stand s{std::move(start)};
    s.follow(three, epoch{4});
    s.append(three, epoch{4}, log, at(8), at(9));
    const auto no = s.last_said<append_nack>(three);
    CHECK(no.reason == nack_reason::mismatch);
    CHECK(no.hint == at(6));
}

TEST_CASE("B.8: what stands before the own log is not asked for, nor is it missing") {
    const auto config = test::cluster_of(3);
    const history log = history{config}.add(epoch{2}, 8);
    replica::start_state start = started(config, two, log);
    start.base = log.at(at(5));
    start.positions.erase(start.positions.begin(), start.positions.begin() + 5);
    start.recent.erase(start.recent.begin(), start.recent.begin() + 5);
    start.applied = at(6);
    stand s{std::move(start)};
    s.follow(three, epoch{3});
    s.append(three, epoch{3}, log, at(4), at(9));
    const auto no = s.last_said<append_nack>(three);
    CHECK(no.reason == nack_reason::mismatch);
    CHECK(no.hint == at(7));
}

TEST_CASE("B.5 backup 1: the same epoch with another hash is CORRUPT, and nothing is truncated") {
    backup_of_three b;
    const history other = history{b.config}.add(epoch{2}, 4, "y").add(epoch{3}, 4);
    SECTION("at prev_index") {
        b.s.append(three, epoch{3}, other, at(6), at(7));
    }
    SECTION("in an entry") {
        b.s.append(three, epoch{3}, other, at(2), at(7));
    }
    const auto no = b.s.last_said<append_nack>(three);
    CHECK(no.reason == nack_reason::corrupt);
    CHECK(no.hash == b.mine.at(no.hint).hash);
    CHECK(b.s.last() == b.mine.last());
    CHECK(b.s.writes.empty());
    CHECK_FALSE(b.s.status().damaged);
}

TEST_CASE("B.5 CORRUPT: a backup that differs from a VERIFIED entry is damaged there") {
    backup_of_three b;
    const history other = history{b.config}.add(epoch{2}, 3, "x").add(epoch{2}, 1, "y");
    b.s.meta_is_fast = false;
    b.s.say(three,
            append{.primary = three,
                   .previous = other.at(at(4)),
                   .verified = true,
                   .entries = other.between(at(5), at(5))},
            epoch{3});
    REQUIRE(b.s.status().damaged);
    CHECK(b.s.status().damaged->from == at(5));
    CHECK(b.s.status().damaged->end == log_end{.epoch = epoch{2}, .index = at(5)});
    CHECK(b.s.status().eligible == 0);
    // B.8: the record first, then the first write to the log.
    CHECK(b.s.writes.empty());
    b.s.sync_meta();
    REQUIRE(b.s.writes.size() == 1);
    CHECK(b.s.writes[0].truncates);
    CHECK(b.s.last().index == at(4));
}

TEST_CASE("B.5 backup 2: entries that are here are skipped, the rest is taken") {
    backup_of_three b;
    b.s.append(three, epoch{3}, b.log, at(2), at(7));
    CHECK(b.s.last() == b.log.at(at(7)));
    REQUIRE(b.s.writes.size() == 1);
    CHECK_FALSE(b.s.writes[0].truncates);
    CHECK(b.s.writes[0].entries.size() == 2);
    b.s.forget();
    b.s.append(three, epoch{3}, b.log, at(2), at(7));
    CHECK(b.s.writes.empty());
    CHECK(b.s.last_said<append_ack>(three).match == at(7));
}

TEST_CASE("B.5 backup 2: a shorter APPEND of the same log truncates nothing") {
    backup_of_three b;
    b.s.append(three, epoch{3}, b.log, at(6), at(9));
    b.s.append(three, epoch{3}, b.log, at(6), at(7));
    CHECK(b.s.last() == b.log.at(at(9)));
}

TEST_CASE("B.5 backup 2: a conflict is another epoch at the same index; it truncates from there") {
    const auto config = test::cluster_of(3);
    stand s{started(config, two, history{config}.add(epoch{2}, 2).add(epoch{3}, 4))};
    const history log = history{config}.add(epoch{2}, 2).add(epoch{4}, 2);
    s.follow(three, epoch{4});
    s.forget();
    s.append(three, epoch{4}, log, at(3), at(5));
    CHECK(s.last() == log.at(at(5)));
    std::size_t truncations = 0;
    for (const log_write& w : s.writes) {
        truncations += w.truncates ? 1U : 0U;
    }
    CHECK(truncations == 1);
    CHECK(s.writes[0].previous == log.at(at(3)));
    CHECK(s.last_said<append_ack>(three).match == at(5));
}

TEST_CASE("B.5 backup 2: the ack of what follows a truncation waits for its sync") {
    const auto config = test::cluster_of(3);
    stand s{started(config, two, history{config}.add(epoch{2}, 2).add(epoch{3}, 4))};
    const history log = history{config}.add(epoch{2}, 2).add(epoch{4}, 2);
    s.follow(three, epoch{4});
    s.disk_is_fast = false;
    s.forget();
    s.append(three, epoch{4}, log, at(3), at(5));
    CHECK(s.status().durable_upto == at(3));
    CHECK(s.count<append_ack>(three) == 0);
    while (s.log_syncs_due() > 0) {
        s.sync_log();
    }
    CHECK(s.last_said<append_ack>(three).match == at(5));
}

TEST_CASE("I7: a conflict at or below the commit index ends the process") {
    backup_of_three b;
    b.s.append(three, epoch{3}, b.log, at(6), at(7), at(7));
    REQUIRE(b.s.status().commit == at(7));
    const history other = history{b.config}.add(epoch{2}, 4).add(epoch{5}, 4);
    b.s.heartbeat(one, epoch{5});
    b.s.append(one, epoch{5}, other, at(6), at(8));
    REQUIRE(b.s.died);
    CHECK(b.s.died->how == ending::safety_broken);
}

TEST_CASE("B.5 backup 3: match is what was verified in this epoch's link session") {
    backup_of_three b;
    b.s.say(three, heartbeat{.primary = three}, epoch{3});
    CHECK(b.s.last_said<heartbeat_ack>(three).match == at(0));
    b.s.append(three, epoch{3}, b.log, at(4), at(4));
    CHECK(b.s.last_said<append_ack>(three).match == at(4)); // 5 was not compared.
    b.s.heartbeat(three, epoch{3});
    CHECK(b.s.last_said<heartbeat_ack>(three).match == at(4));
    SECTION("a new link session starts again") {
        b.s.say(three, reconnect{}, epoch{3});
        b.s.close(three);
        b.s.open(three);
        b.s.heartbeat(three, epoch{3});
        CHECK(b.s.last_said<heartbeat_ack>(three).match == at(0));
    }
}

TEST_CASE("B.5 backup 4: commit is never beyond the verified match (NuRaft#57)") {
    backup_of_three b;
    b.s.heartbeat(three, epoch{3}, at(5), epoch{2});
    CHECK(b.s.status().commit == at(0));
    b.s.append(three, epoch{3}, b.log, at(4), at(4), at(5));
    CHECK(b.s.status().commit == at(4));
    b.s.append(three, epoch{3}, b.log, at(5), at(6), at(5));
    CHECK(b.s.status().commit == at(5));
}

TEST_CASE("B.5 backup 4: what was truncated is not verified any more") {
    backup_of_three b;
    b.s.append(three, epoch{3}, b.log, at(6), at(9));
    const history other = history{b.config}.add(epoch{2}, 5);
    b.s.append(three, epoch{3}, other, at(6), at(6), at(5));
    REQUIRE(b.s.last() == other.last());
    b.s.heartbeat(three, epoch{3}, at(9), epoch{3});
    CHECK(b.s.status().commit == at(6));
    CHECK_FALSE(b.s.died);
}

TEST_CASE("B.5 backup 2: an entry is checked before anything is truncated for it") {
    backup_of_three b;
    b.s.append(three, epoch{3}, b.log, at(6), at(9));
    append m{.primary = three, .previous = b.log.at(at(6)), .entries = b.log.between(at(7), at(7))};
    m.entries[0].epoch = epoch{2};
    b.s.say(three, m, epoch{3});
    CHECK(b.s.last() == b.log.last());
    CHECK(b.s.writes.size() == 1);
}

TEST_CASE("B.5 backup 5: committed entries are applied in order, once they are durable") {
    backup_of_three b;
    b.s.disk_is_fast = false;
    b.s.append(three, epoch{3}, b.log, at(6), at(8), at(7));
    REQUIRE(b.s.applied.size() == 5);
    b.s.sync_log();
    REQUIRE(b.s.applied.size() == 7);
    for (std::size_t i = 0; i < b.s.applied.size(); ++i) {
        CHECK(b.s.applied[i]->index == at(i + 1));
    }
}

TEST_CASE("D.3: many committed entries are handed to the state a few at a time, without a pause") {
    const cluster_config config = test::cluster_of(3);
    const history log = history{config}.add(epoch{2}, 9);
    settings few;
    std::vector<std::size_t> expected;
    SECTION("few entries") {
        expected = {3, 3, 3, 1};
        few.limits.handed_out.entries = 3;
    }
    SECTION("few bytes") {
        expected = {2, 3, 3, 2}; // The first entry of all is larger than the others.
        few.limits.handed_out.bytes = 2 * weight(*log.entries().back()) + 1;
    }
    stand s{started(config, two, log), few};
    s.follow(three, epoch{3});
    s.forget();
    REQUIRE(s.status().applied == log_index{0});
    std::vector<std::size_t> handed_out;
    s.core().step(s.now(), frame_received{.connection = s.control_of(three),
                                          .epoch = epoch{3},
                                          .message = append{.primary = three,
                                                            .previous = log.last(),
                                                            .commit = log.last().index,
                                                            .commit_epoch = epoch{2}}});
    for (int turn = 0; turn < 4; ++turn) {
        const output out = s.core().take_output(s.now(), true);
        handed_out.push_back(out.apply.size());
        const bool is_all = s.status().applied == log.last().index;
        CHECK((out.wake == s.now().monotonic) == !is_all);
    }
    CHECK(handed_out == expected);
}

TEST_CASE("B.5 backup: entries that are not dense, not chained or of a later epoch are not taken") {
    backup_of_three b;
    append m{.primary = three, .previous = b.log.at(at(5)), .entries = b.log.between(at(6), at(8))};
    SECTION("a hole") {
        m.entries.erase(m.entries.begin() + 1);
    }
    SECTION("the wrong order") {
        std::swap(m.entries[0], m.entries[1]);
    }
    SECTION("another payload") {
        m.entries[0].payload.push_back(std::byte{1});
    }
    SECTION("an epoch that is not yet") {
        m.entries[0].epoch = epoch{9};
    }
    SECTION("an epoch that goes back") {
        m.entries[0].epoch = epoch{1};
    }
    b.s.say(three, m, epoch{3});
    CHECK(b.s.last().index <= at(6));
    CHECK((b.s.last() == b.log.at(at(5)) || b.s.last() == b.log.at(at(6))));
    CHECK_FALSE(b.s.died);
}

TEST_CASE("M3: a config is in force when appended, and goes with a truncation") {
    const auto config = test::cluster_of(3);
    cluster_config bigger = test::cluster_of(4);
    entry change{.epoch = epoch{2}, .type = entry_type::config};
    wire::encode(bigger, change.payload);
    const history log = history{config}.add(epoch{2}).add(change);
    stand s{started(config, two, history{config})};
    s.follow(three, epoch{2});
    s.append(three, epoch{2}, log, at(2), at(3));
    REQUIRE(s.core().config()->members.size() == 4);
    const history other = history{config}.add(epoch{3}, 2);
    s.heartbeat(one, epoch{3});
    s.append(one, epoch{3}, other, at(2), at(3));
    CHECK(s.core().config()->members.size() == 3);
}

TEST_CASE("E0 on bulk: a chunk of another epoch or link session is dropped") {
    backup_of_three b;
    stand& s = b.s;
    greeting bulk = s.greeting_of(three);
    bulk.kind = connection_kind::bulk;
    bulk.session = s.session_of(three);
    const connection_id id = s.accept(bulk);
    log_chunk m{.session = s.session_of(three),
                .previous = b.log.at(at(5)),
                .entries = b.log.between(at(6), at(7))};
    epoch in{3};
    bool taken = false;
    SECTION("the current one is taken") {
        taken = true;
    }
    SECTION("another link session") {
        ++m.session->counter;
    }
    SECTION("none") {
        m.session.reset();
    }
    SECTION("an older epoch") {
        in = epoch{2};
    }
    SECTION("a higher epoch") {
        in = epoch{4};
    }
    s.say_on(id, m, in);
    CHECK((s.last().index == at(7)) == taken);
    CHECK(s.epoch_now() == epoch{3});
}

} // namespace almenara::replica
