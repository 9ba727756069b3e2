#include "unit/replica/stand.hpp"

// E6: a prospect adopts the best log of who does not run.
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

/// Server 3 has more, reaches nobody else, and server 2 has just decided to pull from it.
struct pull_from_three {
    explicit pull_from_three(const history& has, const history& lacks, log_index applied = {})
        : theirs(has), s([&] {
              start_state start = started(test::cluster_of(3), two, lacks);
              start.applied = applied;
              return start;
          }()) {
        s.open(three);
        ask();
    }
    void ask() {
        s.ask();
        s.say(three,
              answer{.generation = s.last_said<election>(three).generation,
                     .kind = answer_kind::bully,
                     .rank = rank_now(),
                     .epoch = theirs.last().epoch,
                     .reach = 1},
              theirs.last().epoch);
    }
    [[nodiscard]] rank rank_now() const {
        return stand::rank(three, theirs.last().epoch, theirs.last().index);
    }
    [[nodiscard]] log_chunk chunk(std::uint64_t first, std::uint64_t last) const {
        return {.generation = s.last_said<fetch>(three).generation,
                .previous = theirs.at(at(first - 1)),
                .entries = theirs.between(at(first), at(last)),
                .reason = at(last) == theirs.last().index ? chunk_reason::end : chunk_reason::more,
                .rank = rank_now()};
    }
    history theirs;
    stand s;
};

history base_log() {
    return history{test::cluster_of(3)}.add(epoch{2}, 2);
}

history longer_log() {
    return history{test::cluster_of(3)}.add(epoch{2}, 7);
}

} // namespace

TEST_CASE("E6: the most recent log that was answered is fetched from the own end") {
    pull_from_three p{longer_log(), base_log()};
    const auto asked = p.s.last_said<fetch>(three);
    CHECK(asked.from == base_log().last());
    CHECK(asked.generation == p.s.last_said<election>(three).generation);
    CHECK(p.s.role() == role_name::prospect);
}

TEST_CASE("E6: a refusal comes before a pull, a pull before a backoff") {
    stand s{started(test::cluster_of(3), two, base_log())};
    s.open_all();
    s.ask();
    s.answer(three, answer_kind::bully, stand::rank(three, epoch{2}, at(9), 0));
    s.answer(one, answer_kind::abstain_damaged, stand::rank(one, epoch{2}, at(3), 0));
    CHECK(s.count<fetch>(three) == 1);
}

TEST_CASE("E6: chunk after chunk is taken, synced, and then there is a new round") {
    pull_from_three p{longer_log(), base_log()};
    p.s.disk_is_fast = false;
    p.s.say(three, p.chunk(4, 5), epoch{2});
    CHECK(p.s.last().index == at(5));
    CHECK(p.s.last_said<fetch>(three).from == p.theirs.at(at(5)));
    p.s.say(three, p.chunk(6, 8), epoch{2});
    CHECK(p.s.last() == p.theirs.last());
    p.s.forget();
    CHECK(p.s.count<election>(three) == 0);
    while (p.s.log_syncs_due() > 0) {
        p.s.sync_log();
    }
    CHECK(p.s.last_said<election>(three).rank.last_index == at(8));
}

TEST_CASE("E6: what conflicts is truncated first, above the commit index only") {
    const history mine = history{test::cluster_of(3)}.add(epoch{2}, 1).add(epoch{3}, 3);
    const history theirs = history{test::cluster_of(3)}.add(epoch{2}, 1).add(epoch{4}, 3);
    SECTION("nothing of it is committed") {
        pull_from_three p{theirs, mine};
        log_chunk no{.generation = p.s.last_said<fetch>(three).generation,
                     .previous = mine.last(),
                     .reason = chunk_reason::mismatch,
                     .hint = at(3),
                     .rank = p.rank_now()};
        p.s.say(three, no, epoch{4});
        CHECK(p.s.last_said<fetch>(three).from == mine.at(at(2)));
        p.s.say(three, p.chunk(3, 5), epoch{4});
        CHECK(p.s.last() == theirs.last());
        // B.6: epoch = max(epoch, epoch of my last entry), promised to nobody.
        CHECK(p.s.epoch_now() == epoch{4});
        CHECK_FALSE(p.s.status().durable.promised_to);
    }
    SECTION("some of it is committed") {
        pull_from_three p{theirs, mine, at(4)};
        log_chunk no{.generation = p.s.last_said<fetch>(three).generation,
                     .previous = mine.last(),
                     .reason = chunk_reason::mismatch,
                     .hint = at(3),
                     .rank = p.rank_now()};
        p.s.say(three, no, epoch{4});
        p.s.say(three, p.chunk(3, 5), epoch{4});
        CHECK(p.s.last() == mine.last());
        CHECK_FALSE(p.s.died);
    }
}

TEST_CASE("E6: a promise of one's own epoch is not forgotten by a pull") {
    start_state start = started(test::cluster_of(3), two, base_log());
    start.meta.epoch = epoch{6};
    start.meta.promised_to = promised{.id = one, .incarnation = incarnation{1000}};
    stand s{start};
    s.open(three);
    s.ask();
    const history theirs = longer_log();
    s.say(three,
          answer{.generation = s.last_said<election>(three).generation,
                 .kind = answer_kind::bully,
                 .rank = stand::rank(three, epoch{2}, at(8)),
                 .epoch = epoch{2},
                 .reach = 1},
          epoch{2});
    s.say(three,
          log_chunk{.generation = s.last_said<fetch>(three).generation,
                    .previous = theirs.at(at(3)),
                    .entries = theirs.between(at(4), at(8)),
                    .reason = chunk_reason::end,
                    .rank = stand::rank(three, epoch{2}, at(8))},
          epoch{2});
    CHECK(s.last() == theirs.last());
    CHECK(s.epoch_now() == epoch{6});
    CHECK(s.status().durable.promised_to == start.meta.promised_to);
}

TEST_CASE("E6: a chunk that does not name the running pull is dropped") {
    pull_from_three p{longer_log(), base_log()};
    log_chunk c = p.chunk(4, 8);
    SECTION("another generation") {
        c.generation = generation{c.generation->value() + 1};
    }
    SECTION("none") {
        c.generation.reset();
    }
    SECTION("another place") {
        c.previous = p.theirs.at(at(4));
        c.entries.erase(c.entries.begin());
    }
    SECTION("after a primary was heard") {
        p.s.heartbeat(three, epoch{3});
    }
    SECTION("after a promise") {
        p.s.open(one);
        p.s.say(one, claim{.rank = stand::rank(one, epoch{2}, at(9))}, epoch{3});
        REQUIRE(p.s.last_said<promise>(one).granted);
    }
    SECTION("after a claim changed the epoch") {
        p.s.open(one);
        p.s.say(one, claim{.rank = stand::rank(one, epoch{1}, at(1))}, epoch{3});
        REQUIRE(p.s.epoch_now() == epoch{3});
    }
    SECTION("after pull_idle") {
        p.s.run(501ms);
    }
    p.s.say(three, c, epoch{3});
    CHECK(p.s.last() == base_log().last());
}

TEST_CASE("E6: a chunk of another server than the source is dropped") {
    pull_from_three p{longer_log(), base_log()};
    p.s.open(one);
    p.s.say(one, p.chunk(4, 8), epoch{2});
    CHECK(p.s.last() == base_log().last());
}

TEST_CASE("E6: a chunk whose source has no more recent log any more is not used") {
    pull_from_three p{longer_log(), base_log()};
    log_chunk c = p.chunk(4, 8);
    c.rank = stand::rank(three, epoch{2}, at(3));
    p.s.say(three, c, epoch{2});
    CHECK(p.s.last() == base_log().last());
}

TEST_CASE("E6: no chunk for pull_idle ends it") {
    pull_from_three p{longer_log(), base_log()};
    p.s.run(499ms);
    CHECK_FALSE(p.s.noted(note_kind::pull_ended));
    p.s.run(2ms);
    CHECK(p.s.noted(note_kind::pull_ended));
    CHECK(p.s.role() == role_name::prospect);
}

TEST_CASE("E6: after a HOLE, or an END that is too early, no pull from it in the next 3 rounds") {
    pull_from_three p{longer_log(), base_log()};
    log_chunk c = p.chunk(4, 5);
    c.reason = GENERATE(chunk_reason::hole, chunk_reason::end);
    p.s.say(three, c, epoch{2});
    const log_index kept = p.s.last().index;
    for (int round = 1; round <= 4; ++round) {
        p.s.forget();
        p.ask();
        CHECK(p.s.count<fetch>(three) == (round <= 3 ? 0U : 1U));
    }
    CHECK(p.s.last().index == kept);
}

TEST_CASE("E6: the end of the source's link ends the pull, and it is no bad source") {
    pull_from_three p{longer_log(), base_log()};
    p.s.close(three);
    CHECK(p.s.noted(note_kind::pull_ended));
    p.s.open(three);
    p.s.forget();
    p.ask();
    CHECK(p.s.count<fetch>(three) == 1);
}

TEST_CASE("E6: a chunk with entries that do not chain is not taken") {
    pull_from_three p{longer_log(), base_log()};
    log_chunk c = p.chunk(4, 8);
    SECTION("another payload") {
        c.entries[1].payload.push_back(std::byte{1});
    }
    SECTION("a hole") {
        c.entries.erase(c.entries.begin() + 1);
    }
    SECTION("index 0") {
        c.entries[1].index = at(0);
    }
    SECTION("the last index there is") {
        c.entries[1].index = log_index{~0ULL};
    }
    p.s.say(three, c, epoch{2});
    CHECK(p.s.last().index <= at(4));
    CHECK(p.s.role() == role_name::prospect);
}

TEST_CASE("E6: what is pulled ends the claim before it, and a late PROMISE gives no office") {
    const history mine = history{test::cluster_of(3)}.add(epoch{2}, 4);
    const history newer = history{mine}.add(epoch{4}, 6);
    const rank theirs = stand::rank(one, epoch{4}, at(11), 0);
    stand s{started(test::cluster_of(3), two, mine)};
    s.open_all();
    const generation first = s.ask();
    s.each_peer([&](server_id peer) {
        s.answer(peer, answer_kind::grant, stand::rank(peer, epoch{2}, at(5), 1), epoch{2});
    });
    REQUIRE(s.role() == role_name::candidate);
    const epoch claimed = s.epoch_now();
    REQUIRE(s.run_until([&] { return s.last_said<election>(one).generation != first; }, 3s));
    s.answer(one, answer_kind::bully, theirs, epoch{4});
    REQUIRE(s.run_until([&] { return s.count<fetch>(one) > 0; }));
    s.say(one,
          log_chunk{.generation = s.last_said<fetch>(one).generation,
                    .previous = mine.last(),
                    .entries = newer.between(at(6), at(8)),
                    .rank = theirs},
          epoch{4});
    REQUIRE(s.last() == newer.at(at(8)));
    s.promise(three, claimed);
    CHECK(s.role() == role_name::prospect);
    SECTION("and when the pull breaks off, the next claim is above what was pulled") {
        s.close(one);
        s.promise(three, claimed);
        const auto before = s.last_said<election>(three).generation;
        REQUIRE(s.run_until([&] { return s.last_said<election>(three).generation != before; }));
        s.answer(three, answer_kind::grant, stand::rank(three, epoch{2}, at(5)), epoch{3});
        CHECK(s.role() == role_name::candidate);
        CHECK(s.epoch_now() > epoch{4});
        s.promise(three, s.epoch_now());
        CHECK(s.role() == role_name::primary);
    }
}

// -- The source -----------------------------------------------------------------------------------

TEST_CASE("E6 source: every server answers FETCH with what follows, and its rank") {
    const history log = longer_log();
    stand s{started(test::cluster_of(3), two, log)};
    s.open_all();
    s.say(three, fetch{.generation = generation{4}, .from = log.at(at(3)), .max_bytes = 100'000},
          epoch{2});
    const auto c = s.last_said<log_chunk>(three);
    CHECK(c.generation == generation{4});
    CHECK(c.previous == log.at(at(3)));
    CHECK(c.entries.size() == 5);
    CHECK(c.reason == chunk_reason::end);
    CHECK(end_of(c.rank) == end_of(log.last()));
}

TEST_CASE("E6 source: one answer for each peer and turn, to what it asked last") {
    const history log = history{test::cluster_of(3)}.add(epoch{2}, 4);
    stand s{started(test::cluster_of(3), two, log)};
    s.open(three);
    for (std::uint32_t i = 1; i <= 4; ++i) {
        s.core().step(s.now(), frame_received{.connection = s.control_of(three),
                                              .epoch = epoch{2},
                                              .message = fetch{.generation = generation{i},
                                                               .from = log.at(at(3)),
                                                               .max_bytes = 100'000}});
    }
    s.turn();
    REQUIRE(s.count<log_chunk>(three) == 1);
    CHECK(s.last_said<log_chunk>(three).generation == generation{4});
}

TEST_CASE("E6 source: a place that is not in the log is a MISMATCH with a hint") {
    const history log = longer_log();
    stand s{started(test::cluster_of(3), two, log)};
    s.open_all();
    log_point from;
    SECTION("behind the end") {
        from = {.index = at(50), .epoch = epoch{2}, .hash = hash64{1}};
    }
    SECTION("another epoch") {
        from = {.index = at(5), .epoch = epoch{3}, .hash = hash64{1}};
    }
    SECTION("the last index there is") {
        from = {.index = log_index{~0ULL}, .epoch = epoch{~0ULL}, .hash = hash64{1}};
    }
    s.say(three, fetch{.generation = generation{4}, .from = from, .max_bytes = 1000}, epoch{2});
    CHECK(s.last_said<log_chunk>(three).reason == chunk_reason::mismatch);
    CHECK(s.last_said<log_chunk>(three).entries.empty());
}

TEST_CASE("B.8 source: a damaged log gives what can be read, then says HOLE") {
    const history log = longer_log();
    start_state start = started(test::cluster_of(3), two, log);
    start.meta.damaged = damage{.from = at(9), .end = log_end{.epoch = epoch{2}, .index = at(12)}};
    stand s{start};
    s.open_all();
    s.say(three, fetch{.generation = generation{4}, .from = log.at(at(3)), .max_bytes = 100'000},
          epoch{2});
    CHECK(s.last_said<log_chunk>(three).entries.size() == 5);
    CHECK(s.last_said<log_chunk>(three).reason == chunk_reason::hole);
}

TEST_CASE("E6 source: what is not in memory is read from the disk first") {
    const history log = longer_log();
    start_state start = started(test::cluster_of(3), two, log);
    start.applied = at(6);
    start.recent.erase(start.recent.begin(), start.recent.begin() + 6);
    stand s{start};
    s.open_all();
    s.say(three, fetch{.generation = generation{4}, .from = log.at(at(2)), .max_bytes = 100'000},
          epoch{2});
    REQUIRE(s.reads.size() == 1);
    CHECK(s.reads[0].purpose == read_purpose::fetch);
    CHECK(s.reads[0].from == at(3));
    CHECK(s.count<log_chunk>(three) == 0);
    s.step(log_read{.request = s.reads[0].request,
                    .entries = {log.entries().begin() + 2, log.entries().begin() + 6}});
    CHECK(s.last_said<log_chunk>(three).entries.size() == 4);
    CHECK(s.last_said<log_chunk>(three).reason == chunk_reason::more);
}

} // namespace almenara::replica
