#include "unit/replica/stand.hpp"

// B.8, retention: up to where logs may be recycled, and what a core does without what is gone.
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

/// Server 3 says that it has nothing behind `last`.
void lacks(stand& s, log_index last) {
    const auto probe = s.last_said<append>(three);
    s.say(three,
          append_nack{.reason = nack_reason::mismatch,
                      .previous = probe.previous.index,
                      .hint = last.next(),
                      .last_index = last,
                      .hash = {}},
          s.epoch_now());
}

/// Server 2 rules with a log of 21 entries, epochs 1 to 4, all of which its state has; server 3 has
/// said nothing yet.
struct ruler {
    ruler()
        : log(history{test::cluster_of(3)}.add(epoch{2}, 9).add(epoch{3}, 10)),
          s(started(test::cluster_of(3), two, log)) {
        s.take_office();
        s.ack(one, s.last().index);
        s.step(applied{s.last().index});
        REQUIRE(s.status().commit == at(21));
        REQUIRE(s.status().applied == at(21));
    }
    /// So that the majority is not missed.
    void run(duration length) {
        for (duration passed{0}; passed < length; passed += 50ms) {
            s.run(50ms);
            s.ack(one, s.last().index);
        }
    }
    history log;
    stand s;
};

} // namespace

TEST_CASE("B.8: the floor is the lowest durable match of all voters, 0 while one is unknown") {
    stand s{3};
    s.rule();
    s.propose();
    s.propose();
    s.ack(one, at(4));
    s.ack(three, at(3));
    CHECK(s.status().floor == at(3));
    s.run(60ms);
    CHECK(s.last_said<heartbeat>(one).floor == at(3));
    SECTION("the own disk counts") {
        s.disk_is_fast = false;
        s.propose();
        s.ack(one, at(5));
        s.ack(three, at(5));
        CHECK(s.status().floor == at(4));
        s.sync_log();
        CHECK(s.status().floor == at(5));
    }
    SECTION("of a link session that is new nothing is known") {
        s.close(three);
        CHECK(s.status().floor == at(0));
        s.run(60ms);
        CHECK(s.last_said<heartbeat>(one).floor == at(0));
        s.open(three);
        CHECK(s.status().floor == at(0));
        s.ack(three, at(4));
        CHECK(s.status().floor == at(4));
    }
    SECTION("who cut what it had acked counts for what it still has") {
        s.say(three, heartbeat_ack{.probe = {}, .match = at(2), .sick = true}, s.epoch_now());
        CHECK(s.status().floor == at(2));
    }
}

TEST_CASE("B.8: a backup goes by the floor that its primary named last, and by none without one") {
    stand s{3};
    s.follow(one, epoch{2});
    CHECK(s.status().floor == at(0));
    const auto hear = [&s](log_index floor) {
        s.say(one, heartbeat{.primary = one, .floor = floor}, epoch{2});
    };
    hear(at(7));
    CHECK(s.status().floor == at(7));
    hear(at(0));
    CHECK(s.status().floor == at(0));
    hear(at(9));
    SECTION("nobody else's counts") {
        s.open(three);
        s.say(three, heartbeat{.primary = three, .floor = at(30)}, epoch{1});
        CHECK(s.status().floor == at(9));
    }
    SECTION("its office ends") {
        s.close(one);
        CHECK(s.status().floor == at(0));
    }
    SECTION("a new primary has not said any") {
        s.open(three);
        s.append(three, epoch{3}, history{test::cluster_of(3)}.add(epoch{3}, 1), at(2), at(2));
        CHECK(s.status().floor == at(0));
    }
}

TEST_CASE("B.8: the floor is told although APPENDs never stop") {
    stand s{3};
    s.rule();
    const log_index acked = s.last().index;
    s.run(60ms);
    s.forget();
    for (int i = 0; i < 150; ++i) {
        s.propose();
        s.run(10ms);
        s.ack(one, acked);
    }
    CHECK(s.count<append>(one) >= 150);
    CHECK(s.count<heartbeat>(one) >= 1);
    CHECK(s.count<heartbeat>(one) <= 2);
}

TEST_CASE("B.8: what is recycled is not in the log any more") {
    ruler r;
    r.s.step(recycled{at(8)});
    CHECK(r.s.status().first == at(9));
    CHECK_FALSE(r.s.core().position(at(7)));
    for (std::uint64_t index = 8; index <= 20; ++index) {
        CHECK(r.s.core().position(at(index)) == r.log.at(at(index)));
    }
    SECTION("more of it goes later, past the beginning of an epoch") {
        const std::size_t memory = r.s.status().log_memory;
        r.s.step(recycled{at(13)});
        CHECK(r.s.status().first == at(14));
        CHECK_FALSE(r.s.core().position(at(12)));
        CHECK(r.s.core().position(at(13)) == r.log.at(at(13)));
        CHECK(r.s.core().position(at(20)) == r.log.at(at(20)));
        CHECK(r.s.status().log_memory < memory);
    }
    SECTION("it goes on behind that") {
        const log_index next = r.s.propose();
        CHECK(next == at(22));
        r.s.ack(one, next);
        CHECK(r.s.status().commit == next);
    }
    SECTION("what is gone already does not go again") {
        r.s.step(recycled{at(3)});
        CHECK(r.s.status().first == at(9));
    }
}

TEST_CASE("B.8: the core keeps what is not applied, and the last entry") {
    ruler r;
    r.s.propose();
    r.s.step(recycled{at(100)});
    CHECK(r.s.status().first == at(22));
    r.s.ack(one, at(22));
    r.s.step(applied{at(22)});
    r.s.step(recycled{at(100)});
    CHECK(r.s.status().first == at(22));
    CHECK(r.s.core().position(at(22)) == r.s.last());
}

TEST_CASE("B.8: who lacks what is recycled is named once and asked seldom") {
    ruler r;
    lacks(r.s, at(3));
    r.s.step(recycled{at(10)});
    r.run(50ms);
    CHECK(r.s.last_said<append>(three).previous == r.log.at(at(10)));
    CHECK_FALSE(r.s.peer(three).out_of_reach);
    lacks(r.s, at(3));
    CHECK(r.s.peer(three).out_of_reach);
    REQUIRE_FALSE(r.s.notes.empty());
    CHECK(r.s.notes.back().kind == note_kind::out_of_reach);
    CHECK(r.s.notes.back().text.starts_with("server 3 lacks entries below 11"));
    r.s.forget();
    std::size_t asked = 0;
    for (int i = 0; i < 10; ++i) {
        r.run(500ms);
        if (r.s.count<append>(three) > asked) {
            ++asked;
            CHECK(r.s.last_said<append>(three).previous == r.log.at(at(10)));
            lacks(r.s, at(3));
        }
    }
    CHECK(asked >= 2);
    CHECK(r.s.count<append>(three) <= 3);
    CHECK_FALSE(r.s.noted(note_kind::out_of_reach));
    CHECK_FALSE(r.s.noted(note_kind::catch_up));
    CHECK(r.s.role() == role_name::primary);
    SECTION("until it has them from somebody else") {
        r.s.ack(three, r.s.last().index);
        CHECK_FALSE(r.s.peer(three).out_of_reach);
        CHECK(r.s.peer(three).match == r.s.last().index);
    }
}

TEST_CASE("B.8: who has what a server lacks takes over, and nobody else does") {
    ruler r;
    const auto one_begins_at = [&r](log_index first) {
        r.s.say(one, heartbeat_ack{.match = r.s.last().index, .first = first}, r.s.epoch_now());
    };
    const auto three_is_out_of_reach = [&r] {
        lacks(r.s, at(3));
        r.s.step(recycled{at(10)});
        r.run(50ms);
        lacks(r.s, at(3));
        REQUIRE(r.s.peer(three).out_of_reach);
    };
    SECTION("who has it") {
        one_begins_at(at(4));
        three_is_out_of_reach();
        const auto asked = r.s.last_said<handover>(one);
        CHECK(asked.target == one);
        CHECK(asked.permit.last_index == r.s.last().index);
    }
    SECTION("not who begins behind it") {
        one_begins_at(at(5));
        three_is_out_of_reach();
        CHECK(r.s.count<handover>(one) == 0);
    }
    SECTION("not who does not say where it begins") {
        one_begins_at(at(0));
        three_is_out_of_reach();
        CHECK(r.s.count<handover>(one) == 0);
    }
    SECTION("as soon as it says so") {
        three_is_out_of_reach();
        CHECK(r.s.count<handover>(one) == 0);
        one_begins_at(at(1));
        r.run(3s);
        lacks(r.s, at(3));
        CHECK(r.s.count<handover>(one) == 1);
    }
}

TEST_CASE("B.8: FETCH of what is recycled is answered COMPACTED") {
    ruler r;
    r.s.step(recycled{at(10)});
    r.s.open(three);
    r.s.forget();
    r.s.say(three, fetch{.generation = {}, .from = r.log.at(at(4)), .max_bytes = 1000}, epoch{1});
    CHECK(r.s.last_said<log_chunk>(three).reason == chunk_reason::compacted);
}

TEST_CASE("B.8: what the disk answers of what was recycled meanwhile is no damage") {
    const history log = history{test::cluster_of(3)}.add(epoch{2}, 20);
    start_state start = started(test::cluster_of(3), two, log);
    start.applied = at(15);
    start.recent.erase(start.recent.begin(), start.recent.begin() + 15);
    stand s{std::move(start)};
    s.take_office();
    s.ack(one, s.last().index);
    const auto read_again = [&] {
        const std::uint64_t request = s.reads.back().request;
        SECTION("nothing is there") {
            s.step(log_read{.request = request, .entries = {}, .hole = false});
        }
        SECTION("it was still there") {
            s.step(log_read{.request = request, .entries = {log.entries()[3]}, .hole = false});
        }
        CHECK(s.role() == role_name::primary);
        CHECK_FALSE(s.status().damaged);
        CHECK(s.count<log_chunk>(three) == 0);
    };
    SECTION("a backup was to get it") {
        lacks(s, at(3));
        s.ack(three, at(3));
        s.dialled(three, connection_kind::bulk);
        REQUIRE(s.reads.size() == 1);
        s.step(recycled{at(12)});
        read_again();
    }
    SECTION("a backup had another hash there") {
        s.say(three,
              append_nack{.reason = nack_reason::corrupt,
                          .previous = at(3),
                          .hint = at(4),
                          .last_index = at(20),
                          .hash = hash64{1}},
              s.epoch_now());
        REQUIRE(s.reads.size() == 1);
        s.step(recycled{at(12)});
        read_again();
    }
}

} // namespace almenara::replica
