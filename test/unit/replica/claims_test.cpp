#include "unit/replica/stand.hpp"

// B.6, CANDIDATE and taking office.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

/// A candidate of three servers; nobody has promised anything.
struct campaign {
    explicit campaign(bool slow_meta = false, std::size_t servers = 3)
        : s([servers] {
              const auto config = test::cluster_of(servers);
              return started(config, two, history{config}.add(epoch{2}, 4));
          }()) {
        s.open_all();
        s.meta_is_fast = !slow_meta;
        run();
    }
    void run() {
        s.ask();
        s.each_peer([this](server_id peer) {
            if (s.role() == role_name::prospect) {
                s.answer(peer, answer_kind::grant, s.rank_of(peer), s.epoch_now());
            }
        });
        REQUIRE(s.role() == role_name::candidate);
    }
    stand s;
};

} // namespace

TEST_CASE("B.6 CANDIDATE: claims above all epochs that were answered, and says so to all") {
    const auto config = test::cluster_of(3);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.open_all();
    s.ask();
    s.answer(one, answer_kind::grant, s.rank_of(one), epoch{7});
    s.answer(three, answer_kind::grant, s.rank_of(three), epoch{4});
    CHECK(s.epoch_now() == epoch{8});
    REQUIRE(s.count<claim>(one) == 1);
    CHECK(s.count<claim>(three) == 1);
    CHECK(s.last_said<claim>(one).rank == stand::rank(two, epoch{2}, log_index{5}));
    CHECK_FALSE(s.last_said<claim>(one).permit);
    for (const test::spoken& said : s.sent) {
        CHECK(std::holds_alternative<claim>(said.message) == (said.epoch == epoch{8}));
    }
    CHECK(s.metas.back().fields.promised_to->id == two);
}

TEST_CASE("B.6 CANDIDATE: the own promise is durable before it counts") {
    campaign c{true};
    stand& s = c.s;
    s.promise(one, epoch{3});
    s.promise(three, epoch{3});
    CHECK(s.role() == role_name::candidate);
    CHECK(s.office.empty());
    s.sync_meta();
    CHECK(s.role() == role_name::primary);
}

TEST_CASE("B.6 CANDIDATE: a majority of promises, and each server once") {
    campaign c{false, 5};
    stand& s = c.s;
    for (int i = 0; i < 4; ++i) {
        s.promise(one, epoch{3});
    }
    CHECK(s.role() == role_name::candidate);
    s.promise(three, epoch{3});
    CHECK(s.role() == role_name::primary);
}

TEST_CASE("B.6 CANDIDATE: a promise of another epoch counts for nothing") {
    campaign c;
    c.s.promise(one, epoch{2});
    c.s.promise(three, epoch{4});
    CHECK(c.s.role() == role_name::candidate);
}

TEST_CASE("B.6 CANDIDATE: as soon as a majority is impossible it backs off without waiting") {
    campaign c;
    stand& s = c.s;
    s.deny(one, epoch{3}, denial::log, epoch{3});
    CHECK(s.role() == role_name::candidate);
    s.deny(three, epoch{3}, denial::alive, epoch{2});
    CHECK(s.role() == role_name::prospect);
}

TEST_CASE("B.6 CANDIDATE: a denial with a higher epoch is remembered, and the claim is over") {
    campaign c;
    stand& s = c.s;
    s.deny(one, epoch{3}, denial::epoch, epoch{20});
    CHECK(s.role() == role_name::prospect);
    CHECK(s.epoch_now() == epoch{3}); // Remembered, not persisted.
    s.forget();
    c.run();
    CHECK(s.epoch_now() == epoch{21});
}

TEST_CASE("B.6 CANDIDATE: a frame of a primary of the claimed epoch or a higher one ends it") {
    campaign c;
    SECTION("HEARTBEAT of the same") {
        c.s.heartbeat(three, epoch{3});
    }
    SECTION("COORDINATOR of a higher") {
        c.s.say(three, coordinator{.primary = three}, epoch{9});
    }
    CHECK(c.s.role() == role_name::backup);
    CHECK(c.s.status().known_primary == three);
    c.s.promise(one, epoch{3});
    CHECK(c.s.role() == role_name::backup);
}

TEST_CASE("B.6 CANDIDATE: promise_wait doubles with each claim that it ends, up to 3 s") {
    campaign c;
    stand& s = c.s;
    for (const auto wait : {150ms, 300ms, 600ms, 1200ms, 2400ms, 3000ms, 3000ms}) {
        s.each_peer(
            [&s](server_id peer) { s.say(peer, link_ping{.role = role_name::backup}, epoch{1}); });
        s.run(wait - 1ms);
        CHECK(s.role() == role_name::candidate);
        s.run(2ms);
        CHECK(s.role() == role_name::prospect);
        s.forget();
        c.run();
    }
    SECTION("and is back to its default when a primary is known") {
        s.heartbeat(three, s.epoch_now());
        s.close(three);
        s.forget();
        s.open(three);
        c.run();
        s.run(151ms);
        CHECK(s.role() == role_name::prospect);
    }
}

TEST_CASE("B.6 CANDIDATE: a PROMISE that comes late counts while nothing else happened") {
    campaign c;
    stand& s = c.s;
    s.run(151ms);
    REQUIRE(s.role() == role_name::prospect);
    SECTION("in the next round") {
        s.promise(one, epoch{3});
        CHECK(s.role() == role_name::primary);
    }
    SECTION("not when the epoch is another's") {
        s.say(three, claim{.rank = s.rank_of(three)}, epoch{4});
        s.promise(one, epoch{3});
        CHECK(s.role() == role_name::backup);
    }
    SECTION("not when a primary of the epoch is known") {
        s.heartbeat(three, epoch{3});
        s.promise(one, epoch{3});
        CHECK(s.role() == role_name::backup);
    }
}

TEST_CASE("B.6 taking office: COORDINATOR and EPOCH_START go out at once, to all") {
    campaign c;
    stand& s = c.s;
    s.forget();
    s.promise(one, epoch{3});
    REQUIRE(s.role() == role_name::primary);
    CHECK(s.last().index == log_index{6});
    for (const server_id peer : {one, three}) {
        CHECK(s.last_said<coordinator>(peer).primary == two);
        CHECK(s.last_said<coordinator>(peer).epoch_start == log_index{6});
        const auto sent = s.last_said<append>(peer);
        REQUIRE(sent.entries.size() == 1);
        CHECK(sent.entries[0].type == entry_type::epoch_start);
        CHECK(sent.entries[0].epoch == epoch{3});
        CHECK(s.peer(peer).match == log_index{0});
    }
    REQUIRE(s.office.size() == 1);
    const auto entered = std::get<entered_office>(s.office[0]);
    CHECK(entered.epoch == epoch{3});
    CHECK(entered.first_uncommitted == log_index{1});
}

TEST_CASE("B.6 taking office: nothing is confirmed before EPOCH_START is committed") {
    campaign c;
    stand& s = c.s;
    s.promise(one, epoch{3});
    s.propose();
    s.ack(one, log_index{5});
    s.ack(three, log_index{5});
    CHECK(s.status().commit == log_index{0});
    CHECK(s.confirmed.empty());
    s.ack(one, log_index{7});
    s.ack(three, log_index{7});
    CHECK(s.status().commit == log_index{7});
    CHECK(s.core().confirmed_upto() == log_index{7});
}

TEST_CASE("B.6: one voter alone is primary as soon as its own disk says so") {
    stand s{1, one};
    s.disk_is_fast = s.meta_is_fast = false;
    s.run(500ms);
    CHECK(s.role() == role_name::candidate);
    s.sync_meta();
    CHECK(s.role() == role_name::primary);
    CHECK(s.status().commit == log_index{0});
    s.sync_log();
    CHECK(s.status().commit == s.last().index);
}

TEST_CASE("B.6 leaving office: no acks from a majority for check_quorum") {
    campaign c;
    stand& s = c.s;
    s.promise(one, epoch{3});
    s.ack_all();
    s.run(349ms);
    CHECK(s.role() == role_name::primary);
    s.forget();
    s.run(2ms);
    CHECK(s.role() != role_name::primary);
    CHECK(std::get<left_office>(s.office.at(0)).reason == resign_reason::no_quorum);
    CHECK(s.count<resign>(one) == 1);
    s.forget();
    s.run(60ms);
    CHECK(s.count<heartbeat>(one) == 0);
    CHECK_FALSE(s.core().next_slot(s.now()));
}

TEST_CASE("B.6 leaving office: acks of one backup of two are a majority, LINK_PING is none") {
    campaign c;
    stand& s = c.s;
    s.promise(one, epoch{3});
    s.ack_all();
    for (int i = 0; i < 10; ++i) {
        s.run(100ms);
        s.ack(one, s.last().index);
    }
    CHECK(s.role() == role_name::primary);
    for (int i = 0; i < 5; ++i) {
        s.run(100ms);
        if (s.role() == role_name::primary) {
            s.say(one, link_ping{.role = role_name::backup}, epoch{3});
        }
    }
    CHECK(s.role() != role_name::primary);
}

TEST_CASE("B.6 leaving office: a NACK with a higher epoch, and the next ELECTION at once") {
    campaign c;
    stand& s = c.s;
    s.promise(one, epoch{3});
    s.ack_all();
    s.forget();
    s.say(three, append_nack{.reason = nack_reason::epoch}, epoch{9});
    CHECK(s.role() == role_name::prospect);
    CHECK(s.count<election>(one) == 1);
    CHECK(s.epoch_now() == epoch{3}); // Remembered, not persisted.
    CHECK(s.metas.empty());
    s.answer(one, answer_kind::grant, s.rank_of(one), epoch{3});
    s.answer(three, answer_kind::grant, s.rank_of(three), epoch{9});
    CHECK(s.epoch_now() == epoch{10});
}

TEST_CASE("B.6 leaving office: a failed sync, and nothing after it") {
    campaign c;
    stand& s = c.s;
    s.promise(one, epoch{3});
    s.ack_all();
    s.disk_is_fast = false;
    s.propose();
    s.forget();
    s.sync_log(false);
    REQUIRE(s.died);
    CHECK(s.died->how == ending::disk_failed);
    CHECK(s.count<resign>(one) == 1);
    CHECK_FALSE(s.core().next_slot(s.now()));
}

TEST_CASE("B.6 leaving office: a state that does not agree with the log") {
    campaign c;
    c.s.promise(one, epoch{3});
    c.s.forget();
    c.s.step(state_damaged{});
    CHECK(c.s.died);
    CHECK(c.s.count<resign>(one) == 1);
    CHECK(c.s.office.size() == 1);
}

} // namespace almenara::replica
