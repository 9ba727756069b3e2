#include "unit/replica/stand.hpp"

// B.8 and B.5 CORRUPT: damage that is found while a server runs. A start is in restart_test.cpp.
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

constexpr log_end true_end{.epoch = epoch{2}, .index = log_index{21}};

/// Server 2 has acked 1 to 21, all committed, and holds only the newest of them in memory.
struct long_lived {
    long_lived() : log(history{test::cluster_of(3)}.add(epoch{2}, 20)), s(start()) {
        s.follow(three, epoch{2});
        s.append(three, epoch{2}, log, at(21), at(21), at(21));
        s.forget();
    }
    [[nodiscard]] start_state start() const {
        start_state found = started(test::cluster_of(3), two, log);
        found.applied = at(21);
        found.recent = {log.entries().back()};
        return found;
    }
    /// Whoever fetches from there makes it read its disk; gives the request.
    std::uint64_t asked(server_id who, log_index from) {
        s.say(who, fetch{.generation = generation{1}, .from = log.at(from), .max_bytes = 1000},
              epoch{2});
        return s.reads.back().request;
    }
    void finds_a_hole(std::uint64_t request) {
        s.step(log_read{.request = request, .entries = {}, .hole = true});
    }
    /// All that is on its way to `meta`.
    void meta_gets_there() {
        while (s.meta_sync_due()) {
            s.sync_meta();
        }
    }
    void hears_heartbeat() { s.heartbeat(three, epoch{2}, at(21), epoch{2}); }
    history log;
    stand s;
};

/// A primary and one of its backups, which hear of each other what the test hands over.
struct primary_and_backup {
    primary_and_backup() {
        in = p.rule();
        b.follow(three, in);
        b.say(three, p.said<append>(two).front(), in);
        REQUIRE(b.last() == p.last());
        proposed = p.propose();
        on_disk = p.writes.back().entries.back();
    }
    /// The newest APPEND, as it leaves a memory with a bad bit.
    [[nodiscard]] append spoilt() const {
        append m = p.last_said<append>(two);
        m.entries.back().payload[0] ^= std::byte{1};
        return m;
    }
    stand p{3, three};
    stand b{3, two};
    epoch in;
    log_index proposed;
    entry_ptr on_disk;
};

} // namespace

TEST_CASE("B.8 found while running: first the record, then the log is cut to what is trusted") {
    long_lived b;
    b.s.meta_is_fast = false;
    b.finds_a_hole(b.asked(one, at(9)));
    CHECK(b.s.last().index == at(21));
    CHECK(b.s.writes.empty());
    b.meta_gets_there();
    CHECK(b.s.last().index == at(9));
    CHECK(b.s.writes.at(0).truncates);
    CHECK(b.s.status().durable.damaged == damage{.from = at(10), .end = true_end});
}

TEST_CASE("B.8 found while running: a heartbeat before the record is synced repairs nothing") {
    long_lived b;
    b.s.meta_is_fast = b.s.disk_is_fast = false;
    b.finds_a_hole(b.asked(one, at(9)));
    b.hears_heartbeat();
    SECTION("and none between the record and the cut") {}
    SECTION("nor one between the record and the cut") {
        b.meta_gets_there();
        b.hears_heartbeat();
    }
    b.meta_gets_there();
    b.s.sync_log(); // Of the cut.
    b.meta_gets_there();
    REQUIRE(b.s.last().index == at(9));
    CHECK(b.s.status().damaged == damage{.from = at(10), .end = true_end});
    CHECK(b.s.status().durable.damaged);
    CHECK(b.s.status().eligible == 0);
    CHECK_FALSE(b.s.noted(note_kind::repaired));
}

TEST_CASE("I26: after damage was found while running there is no promise below the true end") {
    long_lived b;
    b.s.meta_is_fast = false;
    b.finds_a_hole(b.asked(one, at(9)));
    b.hears_heartbeat();
    b.meta_gets_there();
    b.s.meta_is_fast = true;
    b.s.close(three);
    b.s.pass(401ms);
    b.s.say(one, claim{.rank = stand::rank(one, epoch{2}, at(20))}, epoch{3});
    CHECK_FALSE(b.s.last_said<promise>(one).granted);
    CHECK(b.s.last_said<promise>(one).reason == denial::log);
    b.s.say(one, claim{.rank = stand::rank(one, epoch{2}, at(21))}, epoch{4});
    CHECK(b.s.last_said<promise>(one).granted);
}

TEST_CASE("B.8 found while running: nothing is acked until the log is cut, then it is repaired") {
    long_lived b;
    b.s.meta_is_fast = false;
    b.finds_a_hole(b.asked(one, at(9)));
    b.s.forget();
    const history more = history{b.log}.add(epoch{2});
    b.s.append(three, epoch{2}, more, at(22), at(22), at(21));
    CHECK(b.s.count<append_ack>(three) == 0);
    b.hears_heartbeat();
    CHECK(b.s.last_said<heartbeat_ack>(three).match == at(0));
    b.meta_gets_there();
    b.s.append(three, epoch{2}, more, at(22), at(22), at(21));
    CHECK(b.s.last_said<append_nack>(three).last_index == at(9));
    b.s.append(three, epoch{2}, more, at(10), at(22), at(21));
    CHECK(b.s.last_said<append_ack>(three).match == at(22));
    b.meta_gets_there();
    CHECK_FALSE(b.s.status().durable.damaged);
    CHECK(b.s.status().eligible == 2);
    CHECK(b.s.applied.empty());
}

TEST_CASE("B.8: damage found twice before the record is synced cuts to the lower one") {
    long_lived b;
    const auto lower = b.asked(one, at(9));
    const auto higher = b.asked(three, at(15));
    b.s.meta_is_fast = false;
    SECTION("the lower one first") {
        b.finds_a_hole(lower);
        b.finds_a_hole(higher);
    }
    SECTION("the higher one first") {
        b.finds_a_hole(higher);
        b.finds_a_hole(lower);
    }
    b.meta_gets_there();
    CHECK(b.s.status().durable.damaged == damage{.from = at(10), .end = true_end});
    CHECK(b.s.last().index == at(9));
}

TEST_CASE("B.8 found while running: an ack that waits for its sync says nothing of what is cut") {
    long_lived b;
    b.s.meta_is_fast = b.s.disk_is_fast = false;
    const auto request = b.asked(one, at(9));
    const history more = history{b.log}.add(epoch{2}, 3);
    // In one turn: new entries come, and an old one cannot be read.
    b.s.core().step(b.s.now(),
                    frame_received{.connection = b.s.control_of(three),
                                   .epoch = epoch{2},
                                   .message = append{.primary = three,
                                                     .previous = more.at(at(21)),
                                                     .commit = at(21),
                                                     .commit_epoch = epoch{2},
                                                     .entries = more.between(at(22), at(24))}});
    b.finds_a_hole(request);
    b.s.forget();
    b.meta_gets_there();
    while (b.s.log_syncs_due() > 0) {
        b.s.sync_log();
    }
    b.meta_gets_there();
    CHECK(b.s.last().index == at(9));
    CHECK(b.s.count<append_ack>(three) == 0);
    CHECK(b.s.last_said<append_nack>(three).last_index == at(9));
}

TEST_CASE("B.8: what comes by repair is written when meta says that the cut is done") {
    long_lived b;
    b.s.meta_is_fast = false;
    b.finds_a_hole(b.asked(one, at(9)));
    CHECK(b.s.status().damaged->uncut);
    b.s.sync_meta();
    REQUIRE(b.s.last().index == at(9)); // Cut, and synced.
    b.s.forget();
    b.s.append(three, epoch{2}, b.log, at(10), at(21), at(21));
    CHECK(b.s.writes.empty());
    CHECK(b.s.count<append_ack>(three) == 0);
    b.meta_gets_there();
    CHECK(b.s.last_said<append_ack>(three).match == at(21));
}

TEST_CASE("B.8: a log that is about to be cut is given to nobody") {
    long_lived b;
    b.s.meta_is_fast = false;
    b.finds_a_hole(b.asked(one, at(9)));
    b.s.say(one, fetch{.generation = generation{1}, .from = b.log.at(at(20)), .max_bytes = 1000},
            epoch{2});
    CHECK(b.s.last_said<log_chunk>(one).entries.empty());
    CHECK(b.s.last_said<log_chunk>(one).reason == chunk_reason::hole);
}

TEST_CASE("B.8: a read that races with a cut proves no damage, and is answered") {
    long_lived b;
    const auto request = b.asked(one, at(9));
    const auto raced = b.asked(three, at(5));
    b.finds_a_hole(request);
    b.meta_gets_there();
    CHECK(b.s.last_said<log_chunk>(three).reason == chunk_reason::hole);
    b.finds_a_hole(raced);
    CHECK(b.s.status().damaged->from == at(10));
}

// -- CORRUPT --------------------------------------------------------------------------------------

TEST_CASE("B.5 CORRUPT: a new entry that does not fit its hash is named to the primary") {
    primary_and_backup c;
    const log_point before = c.b.last();
    SECTION("on control") {
        c.b.say(three, c.spoilt(), c.in);
    }
    SECTION("on bulk") {
        greeting g = c.b.greeting_of(three);
        g.kind = connection_kind::bulk;
        g.session = c.b.session_of(three);
        const connection_id bulk = c.b.accept(g);
        c.b.say_on(bulk,
                   log_chunk{.session = g.session,
                             .previous = before,
                             .entries = c.spoilt().entries,
                             .rank = {}},
                   c.in);
    }
    REQUIRE(c.b.count<append_nack>(three) == 1);
    const auto no = c.b.last_said<append_nack>(three);
    CHECK(no.reason == nack_reason::corrupt);
    CHECK(no.hint == c.proposed);
    CHECK(no.hash != c.p.last().hash);
    CHECK(c.b.last() == before);
    CHECK_FALSE(c.b.status().damaged);
}

TEST_CASE("B.5 CORRUPT: a bad bit in the primary's memory, and its disk has the right one") {
    primary_and_backup c;
    c.b.say(three, c.spoilt(), c.in);
    c.p.forget();
    c.p.say(two, c.b.last_said<append_nack>(three), c.in);
    REQUIRE(c.p.reads.size() == 1);
    CHECK(c.p.reads[0].purpose == read_purpose::corrupt);
    CHECK(c.p.reads[0].from == c.proposed);
    c.p.step(log_read{.request = c.p.reads[0].request, .entries = {c.on_disk}});
    REQUIRE(c.p.last_said<append>(two).verified);
    c.b.say(three, c.p.last_said<append>(two), c.in);
    CHECK(c.b.last() == c.p.last());
    CHECK(c.b.last_said<append_ack>(three).match == c.proposed);
    CHECK(c.p.role() == role_name::primary);
}

TEST_CASE("B.5 CORRUPT: what does not fit its own hash convicts nobody else, verified or not") {
    primary_and_backup c;
    append m = c.p.last_said<append>(two);
    c.b.say(three, m, c.in);
    REQUIRE(c.b.last() == c.p.last());
    m.verified = true;
    m.entries.back().hash = hash64{m.entries.back().hash.value() ^ 1U};
    c.b.say(three, m, c.in);
    CHECK_FALSE(c.b.status().damaged);
    CHECK(c.b.last_said<append_nack>(three).reason == nack_reason::corrupt);
    CHECK(c.b.last() == c.p.last());
}

TEST_CASE("B.5 CORRUPT: the bad bit is on the primary's disk too, and it goes") {
    primary_and_backup c;
    c.b.say(three, c.spoilt(), c.in);
    const auto no = c.b.last_said<append_nack>(three);
    c.p.say(two, no, c.in);
    REQUIRE(c.p.role() == role_name::primary);
    SECTION("the entry that was read back does not verify") {
        entry other = *c.on_disk;
        other.payload[0] ^= std::byte{1};
        c.p.step(log_read{.request = c.p.reads.back().request,
                          .entries = {std::make_shared<const entry>(other)}});
    }
    SECTION("it cannot be read back") {
        c.p.step(log_read{.request = c.p.reads.back().request, .entries = {}, .hole = true});
    }
    SECTION("a majority names what came by the same hash") {
        c.p.say(one, no, c.in);
    }
    CHECK(c.p.role() != role_name::primary);
    REQUIRE(c.p.status().damaged);
    CHECK(c.p.status().damaged->from == c.proposed);
    CHECK(c.p.status().eligible == 0);
}

} // namespace almenara::replica
