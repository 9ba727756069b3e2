#include "replica/log_view.hpp"
#include "unit/replica/stand.hpp"

#include <string>

// B.4 and B.5: what a primary does with proposals, acks and its own clock.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

bool in_sync(const stand& s, server_id id) {
    return s.peer(id).in_sync;
}

} // namespace

TEST_CASE("B.4: entries are dense and chained, and get the slot that was promised") {
    stand s{3};
    s.rule();
    s.forget();
    const log_index first = s.propose("a");
    const log_index second = s.propose("b");
    CHECK(second == first.next());
    const auto sent = s.said<append>(three);
    REQUIRE(sent.size() == 2);
    CHECK(sent[0].entries.at(0).index == first);
    CHECK(sent[1].previous == point_of(sent[0].entries[0]));
    base::byte_vector scratch;
    CHECK(sent[1].entries.at(0).hash ==
          chain_hash(sent[1].previous.hash, sent[1].entries[0], scratch));
}

TEST_CASE("D.3: the own log is read in pieces of so many entries and bytes, of one at least") {
    const cluster_config config = test::cluster_of(3);
    const history log = history{config}.add(epoch{2}, 6, "a long text, and the same in all");
    stand s{started(config, two, log)};
    const auto from = [&](std::uint64_t first, const entry_bounds& most) {
        const auto found = s.core().entries_from(log_index{first}, most);
        CHECK((found.empty() || found.front()->index == log_index{first}));
        return found.size();
    };
    const std::size_t each = weight(*log.entries().back());
    CHECK(from(1, {}) == 7);
    CHECK(from(3, {.entries = 2}) == 2);
    CHECK(from(6, {.entries = 4}) == 2);
    CHECK(from(8, {.entries = 4}) == 0);
    CHECK(from(3, {.bytes = 2 * each}) == 2);
    CHECK(from(3, {.bytes = 2 * each + 1}) == 3);
    CHECK(from(3, {.bytes = 1}) == 1);
}

TEST_CASE("B.5.3: APPEND goes to all in parallel with the own write") {
    stand s{3};
    s.rule();
    s.disk_is_fast = false;
    s.forget();
    s.propose();
    CHECK(s.writes.size() == 1);
    CHECK(s.count<append>(one) == 1);
    CHECK(s.count<append>(three) == 1);
}

TEST_CASE("B.5.3: proposals between two cuts are one write and one APPEND per link") {
    stand s{3};
    s.rule();
    s.forget();
    s.cut = false;
    s.propose();
    s.propose();
    CHECK(s.writes.empty());
    CHECK(s.count<append>(three) == 0);
    s.cut = true;
    s.turn();
    CHECK(s.writes.size() == 1);
    REQUIRE(s.count<append>(three) == 1);
    CHECK(s.last_said<append>(three).entries.size() == 2);
}

TEST_CASE("B.5.4: the own match advances only with the own sync") {
    stand s{3};
    s.rule();
    s.disk_is_fast = false;
    const log_index mine = s.propose();
    s.ack(one, mine);
    CHECK(s.status().commit < mine);
    s.sync_log();
    CHECK(s.status().commit == mine);
}

TEST_CASE("B.8: a backup that says it holds less than it acked is asked anew") {
    stand s{3};
    const epoch mine = s.rule();
    s.propose();
    s.ack_all();
    s.forget();
    s.say(one, heartbeat_ack{.probe = {}, .match = log_index{0}, .sick = true}, mine);
    CHECK(s.peer(one).match == log_index{0});
    REQUIRE(s.count<append>(one) == 1);
    CHECK(s.last_said<append>(one).previous == s.last());
}

TEST_CASE("B.5: answers that bring the search no further bring no more entries") {
    stand s{3};
    const epoch mine = s.rule();
    s.propose();
    s.forget();
    const append_nack no{.reason = nack_reason::mismatch,
                         .previous = log_index{2},
                         .hint = log_index{1},
                         .last_index = log_index{0},
                         .hash = {}};
    for (int i = 0; i < 10; ++i) {
        append_nack again = no;
        again.previous =
            s.count<append>(one) > 0 ? s.last_said<append>(one).previous.index : no.previous;
        s.say(one, again, mine);
    }
    CHECK(s.count<append>(one) <= 2);
}

TEST_CASE("B.13: what is no primary's word keeps no heartbeat back") {
    stand s{3};
    const epoch mine = s.rule();
    s.forget();
    for (int i = 0; i < 4; ++i) {
        s.run(40ms);
        s.say(one,
              election{.generation = generation{1},
                       .rank = s.rank_of(one),
                       .reason = election_reason::silent,
                       .suspect = two,
                       .suspect_epoch = mine},
              mine);
    }
    REQUIRE(s.count<answer>(one) == 4);
    CHECK(s.count<heartbeat>(one) >= 2);
}

TEST_CASE("B.5.4: two backups commit before the own disk, and nothing is applied before it") {
    stand s{3};
    s.rule();
    s.disk_is_fast = false;
    s.forget();
    const log_index mine = s.propose();
    s.ack(one, mine);
    s.ack(three, mine);
    CHECK(s.status().commit == mine);
    CHECK(s.applied.empty());
    CHECK(s.confirmed.empty()); // It is in its own sync set.
    s.sync_log();
    REQUIRE(s.applied.size() == 1);
    CHECK(s.applied[0]->index == mine);
    CHECK(s.confirmed.size() == 1);
}

TEST_CASE("B.5.5: entries of older epochs commit only through one of the own epoch") {
    const auto config = test::cluster_of(3);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.take_office();
    s.ack(one, log_index{5});
    s.ack(three, log_index{5});
    CHECK(s.status().commit == log_index{0});
    s.ack(one, log_index{6});
    CHECK(s.status().commit == log_index{6});
}

TEST_CASE("B.5.6: confirmed is what the whole sync set has, with how many have it") {
    stand s{3};
    s.rule();
    s.forget();
    const log_index mine = s.propose();
    s.ack(three, mine);
    CHECK(s.status().commit == mine);
    CHECK(s.confirmed.empty());
    s.ack(one, mine);
    REQUIRE(s.confirmed.size() == 1);
    CHECK(s.confirmed[0].last == mine);
    CHECK(s.confirmed[0].durable_on == 3);
    CHECK(s.confirmed[0].voters == 3);
    CHECK(s.core().confirmed_upto() == mine);
}

TEST_CASE("B.5.6: a silent backup delays the confirmation for sync_drop, once") {
    stand s{3};
    s.rule();
    s.forget();
    const log_index mine = s.propose();
    s.ack(three, mine);
    s.run(199ms);
    CHECK(s.confirmed.empty());
    s.run(2ms);
    REQUIRE(s.confirmed.size() == 1);
    CHECK(s.confirmed[0].durable_on == 2);
    CHECK_FALSE(in_sync(s, one));
    const log_index next = s.propose();
    s.ack(three, next);
    CHECK(s.core().confirmed_upto() == next);
}

TEST_CASE("B.5.6: CLOSED is out of the sync set in the same turn") {
    stand s{3};
    s.rule();
    s.forget();
    const log_index mine = s.propose();
    s.ack(three, mine);
    s.close(one);
    CHECK(s.core().confirmed_upto() == mine);
}

TEST_CASE("A.3: confirm = majority waits for nobody else, confirm = all for everybody") {
    const confirm_policy chosen = GENERATE(confirm_policy::majority, confirm_policy::all);
    auto config = test::cluster_of(3);
    config.confirm = chosen;
    stand s{test::first_start(config, two)};
    s.rule();
    s.forget();
    const log_index mine = s.propose();
    s.ack(three, mine);
    CHECK((s.core().confirmed_upto() == mine) == (chosen == confirm_policy::majority));
    s.close(one);
    s.run(250ms);
    CHECK((s.core().confirmed_upto() == mine) == (chosen == confirm_policy::majority));
}

TEST_CASE("B.5.7: a new commit index travels in a HEARTBEAT within 1 ms if the line is idle") {
    stand s{3};
    s.rule();
    s.run(5ms); // EPOCH_START is told of.
    const log_index mine = s.propose();
    s.forget();
    s.ack(three, mine);
    CHECK(s.count<heartbeat>(one) == 0);
    s.run(1ms);
    CHECK(s.count<heartbeat>(one) == 1);
    CHECK(s.last_said<heartbeat>(one).commit == mine);
    CHECK(s.last_said<heartbeat>(one).commit_epoch == s.epoch_now());
    s.run(10ms);
    CHECK(s.count<heartbeat>(one) == 1);
}

TEST_CASE("B.5.7: an APPEND takes a new commit index along, and then no HEARTBEAT does") {
    stand s{3};
    s.rule();
    s.run(5ms);
    const log_index first = s.propose();
    s.ack(three, first);
    s.forget();
    static_cast<void>(s.propose());
    CHECK(s.last_said<append>(one).commit == first);
    s.run(10ms);
    CHECK(s.count<heartbeat>(one) == 0);
}

TEST_CASE("B.3: HEARTBEAT comes every hb_interval when nothing else was sent, with the sync set") {
    stand s{3};
    s.rule();
    s.run(60ms);
    s.forget();
    s.run(100ms);
    CHECK(s.count<heartbeat>(one) == 2);
    CHECK(s.last_said<heartbeat>(one).sync_set == 7);
    s.close(one);
    s.run(51ms);
    CHECK(s.last_said<heartbeat>(three).sync_set == 6);
}

TEST_CASE("B.5 back pressure: no more than 4096 entries are in flight to a backup") {
    stand s{3};
    s.rule();
    s.cut = false;
    for (int batch = 0; batch < 3; ++batch) {
        for (int i = 0; i < 3000; ++i) {
            s.propose();
        }
        s.cut = true;
        s.turn();
        s.cut = false;
    }
    CHECK(s.peer(one).in_flight <= 4096);
    CHECK(s.peer(one).in_flight >= 4000);
    SECTION("and an ack lets the next ones go") {
        const log_index next = s.peer(one).next;
        s.ack(one, log_index{next.value() - 1});
        CHECK(s.peer(one).next > next);
    }
}

TEST_CASE("B.5 back pressure: no more than 8 MiB are in flight, give or take one frame") {
    stand s{3};
    s.rule();
    s.forget();
    const std::string big(100'000, 'x');
    for (int i = 0; i < 150; ++i) {
        s.propose(big);
    }
    std::size_t bytes = 0;
    for (const append& m : s.said<append>(one)) {
        for (const entry& e : m.entries) {
            bytes += e.payload.size();
        }
    }
    CHECK(bytes <= (8U << 20U) + (512U << 10U));
    CHECK(bytes >= 7U << 20U);
}

TEST_CASE("B.13: an APPEND fits in a control frame") {
    stand s{3};
    s.rule();
    s.forget();
    s.cut = false;
    const std::string big(200'000, 'x');
    for (int i = 0; i < 30; ++i) {
        s.propose(big);
    }
    s.cut = true;
    s.turn();
    for (const append& m : s.said<append>(one)) {
        std::size_t bytes = 0;
        for (const entry& e : m.entries) {
            bytes += e.payload.size() + 200;
        }
        CHECK(bytes < 1U << 20U);
    }
}

TEST_CASE("E0: acks of another epoch are ignored, of a higher one they end the office") {
    stand s{3};
    s.rule();
    const log_index mine = s.propose();
    s.say(one, append_ack{.match = mine}, epoch{1});
    s.say(three, append_ack{.match = mine}, epoch{1});
    CHECK(s.status().commit < mine);
    s.say(one, append_ack{.match = mine}, epoch{90});
    CHECK(s.role() != role_name::primary);
    CHECK(s.epoch_now() < epoch{90});
}

TEST_CASE("B.5 CORRUPT: the primary reads its own entry back and sends it VERIFIED") {
    stand s{3};
    s.rule();
    const log_index mine = s.propose();
    const entry_ptr stored = s.writes.back().entries.back();
    s.forget();
    s.say(one,
          append_nack{.reason = nack_reason::corrupt,
                      .previous = log_index{mine.value() - 1},
                      .hint = mine,
                      .last_index = mine,
                      .hash = hash64{99}},
          s.epoch_now());
    REQUIRE(s.reads.size() == 1);
    CHECK(s.reads[0].purpose == read_purpose::corrupt);
    CHECK(s.reads[0].from == mine);
    SECTION("it is what was written") {
        s.step(log_read{.request = s.reads[0].request, .entries = {stored}});
        const auto again = s.last_said<append>(one);
        CHECK(again.verified);
        REQUIRE(again.entries.size() == 1);
        CHECK(again.entries[0].hash == stored->hash);
        CHECK(s.role() == role_name::primary);
    }
    SECTION("its own chain does not verify") {
        entry other = *stored;
        other.payload.push_back(std::byte{7});
        s.step(log_read{.request = s.reads[0].request,
                        .entries = {std::make_shared<const entry>(other)}});
        CHECK(s.role() != role_name::primary);
        CHECK(s.status().damaged);
        CHECK(s.count<resign>(three) == 1);
    }
    SECTION("it cannot be read") {
        s.step(log_read{.request = s.reads[0].request, .entries = {}, .hole = true});
        CHECK(s.role() != role_name::primary);
        REQUIRE(s.status().damaged);
        CHECK(s.status().damaged->from <= mine);
    }
}

TEST_CASE("B.5 CORRUPT: a majority that names the same other hash convicts the primary") {
    stand s{3};
    s.rule();
    const log_index mine = s.propose();
    append_nack no{.reason = nack_reason::corrupt,
                   .previous = log_index{mine.value() - 1},
                   .hint = mine,
                   .last_index = mine,
                   .hash = hash64{99}};
    s.say(one, no, s.epoch_now());
    SECTION("the same hash") {
        s.say(three, no, s.epoch_now());
        CHECK(s.role() != role_name::primary);
        REQUIRE(s.status().damaged);
        CHECK(s.status().damaged->from == mine);
    }
    SECTION("another hash") {
        no.hash = hash64{98};
        s.say(three, no, s.epoch_now());
        CHECK(s.role() == role_name::primary);
    }
}

} // namespace almenara::replica
