#include "unit/replica/stand.hpp"

// B.8, catch-up: a backup that lacks entries gets them, old ones over bulk.
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

/// A primary whose log began long ago: what is applied is not in memory.
struct old_primary {
    old_primary() : log(history{test::cluster_of(3)}.add(epoch{2}, 20)), s(start()) {
        s.take_office();
        s.ack(one, s.last().index);
    }
    [[nodiscard]] start_state start() const {
        start_state found = started(test::cluster_of(3), two, log);
        found.applied = at(15);
        found.recent.erase(found.recent.begin(), found.recent.begin() + 15);
        return found;
    }
    /// Server 3 says that it has nothing behind `last`.
    void lacks(log_index last) {
        const auto probe = s.last_said<append>(three);
        s.say(three,
              append_nack{.reason = nack_reason::mismatch,
                          .previous = probe.previous.index,
                          .hint = last.next(),
                          .last_index = last},
              s.epoch_now());
    }
    history log;
    stand s;
};

} // namespace

TEST_CASE("B.8: nobody is asked about what the log does not reach back to") {
    old_primary old;
    start_state start = old.start();
    start.base = old.log.at(at(10));
    start.positions.erase(start.positions.begin(), start.positions.begin() + 10);
    stand s{std::move(start)};
    s.take_office();
    // Server 3 says nothing of what it was sent, so it is asked again from where it was known to
    // be.
    for (int i = 0; i < 40; ++i) {
        s.run(50ms);
        s.ack(one, s.last().index);
    }
    CHECK(s.last_said<append>(three).previous == old.log.at(at(10)));
}

TEST_CASE("B.8: on MISMATCH the next APPEND begins where the hint says") {
    const history log = history{test::cluster_of(3)}.add(epoch{2}, 9);
    stand s{started(test::cluster_of(3), two, log)};
    s.take_office();
    s.ack(one, s.last().index);
    s.forget();
    s.say(three,
          append_nack{.reason = nack_reason::mismatch,
                      .previous = at(10),
                      .hint = at(5),
                      .last_index = at(10)},
          s.epoch_now());
    CHECK(s.last_said<append>(three).previous == log.at(at(4)));
    CHECK(s.peer(three).match == at(0));
    s.ack(three, at(4));
    s.ack(three, s.last().index);
    CHECK(s.peer(three).match == s.last().index);
}

TEST_CASE("B.8: a NACK never takes back what was acked in this link session") {
    stand s{3};
    s.rule();
    const log_index acked = s.last().index;
    s.say(
        three,
        append_nack{
            .reason = nack_reason::mismatch, .previous = acked, .hint = at(1), .last_index = acked},
        s.epoch_now());
    CHECK(s.peer(three).match == acked);
    CHECK(s.peer(three).next > acked);
}

TEST_CASE("B.8: a peer that cut what it had acked counts for what it can still read") {
    stand s{3};
    s.rule();
    for (int i = 0; i < 20; ++i) {
        s.propose();
    }
    s.ack_all();
    const log_index acked = s.last().index;
    s.propose();
    s.forget();
    s.say(
        three,
        append_nack{
            .reason = nack_reason::mismatch, .previous = acked, .hint = at(4), .last_index = at(3)},
        s.epoch_now());
    CHECK(s.peer(three).match == at(3));
    CHECK(s.last_said<append>(three).previous.index == at(3));
    CHECK(s.status().commit == acked);
    SECTION("and gets the rest, without being asked again and again") {
        CHECK(s.count<append>(three) == 1);
        s.ack(three, s.last().index);
        CHECK(s.peer(three).match == s.last().index);
        CHECK(s.status().commit == s.last().index);
    }
}

TEST_CASE("B.8: a new link session begins behind the last entry that HELLO named") {
    const history log = history{test::cluster_of(3)}.add(epoch{2}, 9);
    stand s{started(test::cluster_of(3), two, log)};
    s.rule();
    s.close(three);
    s.forget();
    greeting back = s.greeting_of(three);
    back.rank = stand::rank(three, epoch{2}, at(6));
    s.accept(back);
    CHECK(s.last_said<append>(three).previous == log.at(at(6)));
}

TEST_CASE("B.8: entries that are not in memory go over bulk, read from the disk") {
    old_primary p;
    stand& s = p.s;
    p.lacks(at(3));
    s.ack(three, at(3));
    REQUIRE_FALSE(s.dials.empty());
    CHECK(s.dials.back().peer == three);
    CHECK(s.dials.back().kind == connection_kind::bulk);
    const connection_id bulk = s.dialled(three, connection_kind::bulk);
    REQUIRE(s.reads.size() == 1);
    CHECK(s.reads[0].purpose == read_purpose::catch_up);
    CHECK(s.reads[0].from == at(4));
    CHECK(s.reads[0].to == at(15));
    std::vector<entry_ptr> read(p.log.entries().begin() + 3, p.log.entries().begin() + 15);
    SECTION("what was read is sent, and the rest follows live") {
        s.step(log_read{.request = s.reads[0].request, .entries = read});
        const auto chunk = s.said<log_chunk>(three).at(0);
        CHECK(chunk.previous == p.log.at(at(3)));
        CHECK(chunk.entries.size() == 12);
        CHECK(chunk.session == s.session_of(three));
        CHECK_FALSE(chunk.generation);
        CHECK(s.sent.back().connection == bulk);
        s.ack(three, at(15));
        s.run(10ms);
        s.ack(three, s.last().index);
        s.forget();
        s.propose();
        CHECK(s.count<append>(three) == 1);
        CHECK(s.count<log_chunk>(three) == 0);
    }
    SECTION("a hole makes the primary SICK, and it resigns") {
        s.step(log_read{.request = s.reads[0].request, .entries = {}, .hole = true});
        CHECK(s.role() != role_name::primary);
        REQUIRE(s.status().damaged);
        CHECK(s.status().damaged->from == at(4));
    }
    SECTION("what is not what was written makes it SICK too, and is not sent") {
        entry other = *read[0];
        other.payload.push_back(std::byte{1});
        read[0] = std::make_shared<const entry>(other);
        s.step(log_read{.request = s.reads[0].request, .entries = read});
        CHECK(s.count<log_chunk>(three) == 0);
        CHECK(s.role() != role_name::primary);
    }
    SECTION("a heartbeat goes on meanwhile") {
        s.forget();
        s.run(60ms);
        CHECK(s.count<heartbeat>(three) >= 1);
    }
    SECTION("an answer of a link session that is over is not sent") {
        s.close(three);
        s.step(log_read{.request = s.reads[0].request, .entries = read});
        CHECK(s.count<log_chunk>(three) == 0);
    }
}

TEST_CASE("E0: nothing goes on bulk before the first ack of the epoch on that link") {
    old_primary p;
    p.s.close(three);
    p.s.forget();
    greeting back = p.s.greeting_of(three);
    back.rank = stand::rank(three, epoch{2}, at(3));
    p.s.accept(back);
    p.s.run(100ms);
    for (const dial_request& d : p.s.dials) {
        CHECK(d.kind == connection_kind::control);
    }
    p.s.ack(three, at(3));
    REQUIRE_FALSE(p.s.dials.empty());
    CHECK(p.s.dials.back().kind == connection_kind::bulk);
}

TEST_CASE("B.8: a primary that was told nothing asks again where the logs agree") {
    stand s{3};
    s.rule();
    s.close(three);
    s.open(three);
    s.forget();
    s.run(300ms);
    CHECK(s.count<append>(three) >= 1);
}

} // namespace almenara::replica
