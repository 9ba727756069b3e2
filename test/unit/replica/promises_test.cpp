#include "unit/replica/stand.hpp"

// B.6, answering CLAIM: the first branch that matches, and what is persisted for it.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

start_state with_log() {
    const auto config = test::cluster_of(3);
    return started(config, two, history{config}.add(epoch{2}, 4));
}

rank up_to(server_id of, std::uint64_t index) {
    return stand::rank(of, epoch{2}, log_index{index});
}

void claims(stand& s, server_id who, std::uint64_t in, std::uint64_t last = 5) {
    s.say(who, claim{.rank = up_to(who, last)}, epoch{in});
}

promise answer_to(stand& s, server_id who, std::uint64_t in, std::uint64_t last = 5) {
    claims(s, who, in, last);
    return s.last_said<promise>(who);
}

} // namespace

TEST_CASE("B.6: a PROMISE leaves when it is on the disk, not before") {
    stand s{with_log()};
    s.open_all();
    s.meta_is_fast = false;
    claims(s, three, 3);
    CHECK(s.count<promise>(three) == 0);
    CHECK(s.metas.back().fields.epoch == epoch{3});
    CHECK(s.metas.back().fields.promised_to ==
          promised{.id = three, .incarnation = s.greeting_of(three).incarnation});
    s.sync_meta();
    const auto said = s.last_said<promise>(three);
    CHECK(said.granted);
    CHECK(said.claimed == epoch{3});
    CHECK(s.sent.back().epoch == epoch{3});
}

TEST_CASE("B.6: after a PROMISE no primary is known, and no own ELECTION for defer_wait") {
    stand s{with_log()};
    s.follow(one, epoch{2});
    s.pass(401ms);
    REQUIRE(answer_to(s, three, 3).granted);
    CHECK_FALSE(s.status().known_primary);
    s.forget();
    s.run(149ms);
    CHECK(s.count<election>(three) == 0);
    s.run(2ms);
    CHECK(s.count<election>(three) == 1);
}

TEST_CASE("B.6: who has a live primary denies ALIVE, and no epoch changes") {
    stand s{with_log()};
    s.follow(one, epoch{2});
    s.forget();
    const promise said = answer_to(s, three, 30);
    CHECK_FALSE(said.granted);
    CHECK(said.reason == denial::alive);
    CHECK(s.sent.back().epoch == epoch{2});
    CHECK(s.epoch_now() == epoch{2});
    CHECK(s.metas.empty());
    CHECK(s.status().known_primary == one);
}

TEST_CASE("B.6: a primary with a live quorum denies ALIVE, whatever the epoch") {
    stand s{with_log()};
    const epoch mine = s.rule();
    CHECK(answer_to(s, three, 30, 99).reason == denial::alive);
    CHECK(s.role() == role_name::primary);
    CHECK(s.epoch_now() == mine);
}

TEST_CASE("B.6: a claim of an older epoch is denied EPOCH, with the own one") {
    stand s{with_log()};
    s.open_all();
    REQUIRE(answer_to(s, three, 9).granted);
    const promise said = answer_to(s, one, 4);
    CHECK(said.reason == denial::epoch);
    CHECK(said.claimed == epoch{4});
    CHECK(s.sent.back().epoch == epoch{9});
}

TEST_CASE("B.6: an epoch is promised once; another claimant is denied TAKEN") {
    stand s{with_log()};
    s.open_all();
    REQUIRE(answer_to(s, three, 3).granted);
    CHECK(answer_to(s, one, 3, 99).reason == denial::taken);
}

TEST_CASE("B.6: a later process of who was promised is somebody else") {
    stand s{with_log()};
    s.open_all();
    REQUIRE(answer_to(s, three, 3).granted);
    s.close(three);
    greeting again = s.greeting_of(three);
    again.incarnation = incarnation{3001};
    s.accept(again);
    s.forget();
    CHECK(answer_to(s, three, 3).reason == denial::taken);
}

TEST_CASE("B.6: a promise survives a restart of who gave it") {
    start_state start = with_log();
    start.meta.epoch = epoch{3};
    start.meta.promised_to = promised{.id = three, .incarnation = incarnation{3000}};
    stand s{start};
    s.open_all();
    SECTION("another is denied") {
        CHECK(answer_to(s, one, 3).reason == denial::taken);
    }
    SECTION("the same is answered again: the rewriting of meta at start counts") {
        CHECK(answer_to(s, three, 3).granted);
        CHECK(s.metas.empty());
    }
    SECTION("the repeat too passes the log test") {
        CHECK(answer_to(s, three, 3, 4).reason == denial::log);
    }
}

TEST_CASE("B.6: a repeated CLAIM gets the same answer only after its sync") {
    stand s{with_log()};
    s.open_all();
    s.meta_is_fast = false;
    claims(s, three, 3);
    claims(s, three, 3);
    CHECK(s.count<promise>(three) == 0);
    s.sync_meta();
    REQUIRE(s.count<promise>(three) >= 1);
    CHECK(s.last_said<promise>(three).granted);
    s.forget();
    claims(s, three, 3);
    CHECK(s.last_said<promise>(three).granted);
    CHECK(s.metas.empty());
}

TEST_CASE("B.6: claims that come while meta is synced are answered after it, newest epoch first") {
    const auto config = test::cluster_of(5);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.open_all();
    s.meta_is_fast = false;
    claims(s, one, 3);
    claims(s, three, 4);
    claims(s, server_id{4}, 6);
    claims(s, server_id{5}, 5);
    s.sync_meta();
    CHECK(s.last_said<promise>(one).granted);
    REQUIRE(s.meta_sync_due());
    CHECK(s.metas.back().fields.epoch == epoch{6});
    s.sync_meta();
    CHECK(s.last_said<promise>(server_id{4}).granted);
    CHECK(s.last_said<promise>(server_id{5}).reason == denial::epoch);
    CHECK(s.last_said<promise>(three).reason == denial::epoch);
}

TEST_CASE("B.6: a less recent log is denied LOG; the epoch is persisted, promised to nobody") {
    stand s{with_log()};
    s.open_all();
    s.meta_is_fast = false;
    s.forget();
    const auto shorter = GENERATE(true, false);
    s.say(three,
          claim{.rank = shorter ? up_to(three, 4) : stand::rank(three, epoch{1}, log_index{99})},
          epoch{7});
    CHECK(s.count<promise>(three) == 0);
    CHECK(s.metas.back().fields.epoch == epoch{7});
    CHECK_FALSE(s.metas.back().fields.promised_to);
    s.sync_meta();
    CHECK(s.last_said<promise>(three).reason == denial::log);
    CHECK(s.sent.back().epoch == epoch{7});
    SECTION("so another may be promised it") {
        claims(s, one, 7);
        s.sync_meta();
        CHECK(s.last_said<promise>(one).granted);
    }
}

TEST_CASE("B.6: entries count in the log test as soon as they are in memory") {
    const auto config = test::cluster_of(3);
    const history log = history{config}.add(epoch{2}, 9);
    stand s{with_log()};
    s.follow(one, epoch{2});
    s.disk_is_fast = false;
    s.append(one, epoch{2}, log, log_index{6}, log_index{8});
    REQUIRE(s.status().durable_upto == log_index{5});
    s.pass(401ms);
    CHECK(answer_to(s, three, 9, 7).reason == denial::log);
    CHECK(answer_to(s, three, 10, 8).granted);
}

TEST_CASE("B.6: a damaged log promises by the end of what it once held") {
    start_state start = with_log();
    start.meta.damaged =
        damage{.from = log_index{6}, .end = log_end{.epoch = epoch{2}, .index = log_index{9}}};
    stand s{start};
    s.open_all();
    CHECK(answer_to(s, three, 3, 8).reason == denial::log);
    CHECK(answer_to(s, three, 4, 9).granted);
}

TEST_CASE("B.6: a damaged log whose end is unknown promises nobody anything") {
    start_state start = with_log();
    start.found_damaged = damage{.from = log_index{6}, .end = std::nullopt};
    stand s{start};
    s.open_all();
    CHECK(answer_to(s, three, 3, 99).reason == denial::abstain);
    CHECK(s.epoch_now() == epoch{3});
    CHECK_FALSE(s.status().durable.promised_to);
}

TEST_CASE("B.6: a candidate that promises a higher epoch is none any more") {
    stand s{with_log()};
    s.open_all();
    s.ask();
    s.answer(one, answer_kind::grant, s.rank_of(one));
    s.answer(three, answer_kind::grant, s.rank_of(three));
    REQUIRE(s.role() == role_name::candidate);
    CHECK(answer_to(s, three, 8).granted);
    CHECK(s.role() == role_name::backup);
    s.promise(one, epoch{3});
    CHECK(s.role() == role_name::backup);
}

TEST_CASE("B.6: a failed sync of meta ends the process before the PROMISE leaves") {
    stand s{with_log()};
    s.open_all();
    s.meta_is_fast = false;
    claims(s, three, 3);
    s.sync_meta(false);
    CHECK(s.count<promise>(three) == 0);
    REQUIRE(s.died);
    CHECK(s.died->how == ending::disk_failed);
}

TEST_CASE("E0: CLAIM and PROMISE apart, no message but a primary's changes an epoch") {
    stand s{with_log()};
    s.open_all();
    const epoch high{50};
    s.say(three, election{.generation = generation{1}, .rank = up_to(three, 9)}, high);
    s.say(three, answer{.generation = generation{1}}, high);
    s.say(three, fetch{.generation = generation{1}}, high);
    s.say(three, log_chunk{.generation = generation{1}}, high);
    s.say(three, link_ping{}, high);
    s.say(three, link_whois{}, high);
    s.say(three, append_ack{}, high);
    s.say(three, heartbeat_ack{}, high);
    s.say(three, append_nack{}, high);
    s.say(three, init_go{}, high);
    s.say(three, reconnect{}, high);
    CHECK(s.epoch_now() == epoch{2});
    CHECK(s.status().durable.epoch == epoch{2});
}

TEST_CASE("E0: a primary's frame of a higher epoch is persisted before it is answered") {
    stand s{with_log()};
    s.open_all();
    s.meta_is_fast = false;
    s.heartbeat(three, epoch{8});
    CHECK(s.count<heartbeat_ack>(three) == 0);
    CHECK(s.metas.back().fields.epoch == epoch{8});
    CHECK(s.metas.back().fields.promised_to ==
          promised{.id = three, .incarnation = s.greeting_of(three).incarnation});
    s.sync_meta();
    CHECK(s.count<heartbeat_ack>(three) == 1);
    CHECK(s.sent.back().epoch == epoch{8});
}

TEST_CASE("E0: a primary's frame of an older epoch is answered by the own one") {
    stand s{with_log()};
    s.follow(three, epoch{8});
    s.forget();
    SECTION("HEARTBEAT") {
        s.heartbeat(one, epoch{7});
    }
    SECTION("APPEND") {
        s.say(one, append{.primary = one}, epoch{7});
    }
    SECTION("COORDINATOR") {
        s.say(one, coordinator{.primary = one}, epoch{7});
    }
    SECTION("HANDOVER") {
        s.say(one, handover{.target = two}, epoch{7});
    }
    CHECK(s.last_said<append_nack>(one).reason == nack_reason::epoch);
    CHECK(s.sent.back().epoch == epoch{8});
    CHECK(s.status().known_primary == three);
}

TEST_CASE("I1: an epoch has one primary; another's frames are not taken") {
    stand s{with_log()};
    s.follow(three, epoch{8});
    s.forget();
    s.heartbeat(one, epoch{8});
    CHECK(s.status().known_primary == three);
    CHECK(s.count<heartbeat_ack>(one) == 0);
}

} // namespace almenara::replica
