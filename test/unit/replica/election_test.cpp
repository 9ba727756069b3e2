#include "unit/replica/stand.hpp"
#include "wire/codec.hpp"

// B.6, asking: when a server asks whether to run, and what it makes of the answers.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

/// A member of three that has entries of epoch 2 up to index 5.
stand with_log() {
    const auto config = test::cluster_of(3);
    return stand{started(config, two, history{config}.add(epoch{2}, 4))};
}

rank same(server_id of, std::uint8_t eligible = 2) {
    return stand::rank(of, epoch{2}, log_index{5}, eligible);
}

rank longer(server_id of, std::uint8_t eligible = 2) {
    return stand::rank(of, epoch{2}, log_index{9}, eligible);
}

rank shorter(server_id of) {
    return stand::rank(of, epoch{2}, log_index{2});
}

answer refusal_by(generation g, server_id primary, epoch in) {
    return {.generation = g,
            .kind = answer_kind::refuse,
            .rank = same(one),
            .epoch = in,
            .reach = 3,
            .known_primary = primary,
            .primary_epoch = in};
}

/// How long it is until the next round, if nobody says anything.
duration until_next_round(stand& s) {
    const instant from = s.now().monotonic;
    s.forget();
    REQUIRE(s.run_until([&] { return s.count<election>(one) + s.count<election>(three) > 0; }));
    return s.now().monotonic - from;
}

} // namespace

TEST_CASE("B.6: SILENT is judged after suspect_timeout, and only by frames of a primary") {
    stand s{3};
    s.follow(three, epoch{2});
    s.pass(300ms);
    s.say(three, link_ping{.role = role_name::primary}, epoch{2});
    s.say(three, link_whois{}, epoch{2});
    s.pass(99ms);
    s.tick();
    CHECK(s.role() == role_name::backup);
    s.pass(1ms);
    s.tick();
    CHECK(s.role() == role_name::prospect);
    CHECK(s.last_said<election>(one).reason == election_reason::silent);
}

TEST_CASE("B.6: HEARTBEAT, APPEND and COORDINATOR prove a primary") {
    const auto config = test::cluster_of(3);
    const history log = history{config}.add(epoch{2}, 1);
    stand s{3};
    s.follow(three, epoch{2});
    s.pass(399ms);
    SECTION("HEARTBEAT") {
        s.heartbeat(three, epoch{2});
    }
    SECTION("APPEND") {
        s.append(three, epoch{2}, log, log_index{2}, log_index{2});
    }
    SECTION("COORDINATOR") {
        s.say(three, coordinator{.primary = three}, epoch{2});
    }
    s.pass(399ms);
    s.tick();
    CHECK(s.role() == role_name::backup);
}

TEST_CASE("B.6: RESIGN, an ELECTION of the primary, or another role of it end its office here") {
    stand s{3};
    s.follow(three, epoch{2});
    SECTION("RESIGN") {
        s.say(three, resign{}, epoch{2});
    }
    SECTION("ELECTION") {
        s.say(three, election{.generation = generation{1}, .rank = s.rank_of(three)}, epoch{2});
        CHECK(s.last_said<answer>(three).kind == answer_kind::grant);
    }
    SECTION("another role") {
        s.say(three, link_ping{.role = role_name::backup}, epoch{2});
    }
    CHECK_FALSE(s.status().known_primary);
    CHECK(s.role() == role_name::prospect);
    CHECK(s.last_said<election>(one).reason == election_reason::resigned);
}

TEST_CASE("B.6: a RESIGN of an older epoch is dropped without a word") {
    stand s{3};
    s.follow(three, epoch{3});
    s.forget();
    s.say(three, resign{}, epoch{2});
    CHECK(s.status().known_primary == three);
    CHECK(s.sent.empty());
}

TEST_CASE("D.3: after an own pause the primary gets a moment to be heard") {
    stand s{3};
    s.follow(three, epoch{2});
    s.pass(2s);
    s.tick(2s);
    CHECK(s.role() == role_name::backup);
    s.run(150ms);
    CHECK(s.role() != role_name::backup);
}

TEST_CASE("B.6: a round asks all other voters with a new generation, and changes no epoch") {
    stand s = with_log();
    s.open_all();
    const generation first = s.ask();
    CHECK(s.last_said<election>(one).rank == same(two));
    CHECK(s.last_said<election>(three).generation == first);
    CHECK(s.epoch_now() == epoch{2});
    CHECK(s.metas.empty());
    s.run(30ms);
    until_next_round(s);
    CHECK(s.last_said<election>(three).generation > first);
}

TEST_CASE("B.6.2: answers of another generation are dropped") {
    stand s = with_log();
    s.open_all();
    const generation g = s.ask();
    for (const server_id from : {one, three}) {
        s.say(from,
              answer{.generation = generation{g.value() - 1},
                     .kind = answer_kind::grant,
                     .rank = same(from)},
              epoch{2});
    }
    CHECK(s.role() == role_name::prospect);
}

TEST_CASE("B.6.3: a majority of grants is decided when all connected voters have answered") {
    stand s = with_log();
    SECTION("two of three are connected") {
        s.open(one);
        s.ask();
        s.answer(one, answer_kind::grant, same(one));
        CHECK(s.role() == role_name::candidate);
    }
    SECTION("all are, and one says nothing: the timer decides") {
        s.open_all();
        s.ask();
        s.answer(one, answer_kind::grant, same(one));
        CHECK(s.role() == role_name::prospect);
        s.run(31ms);
        CHECK(s.role() == role_name::candidate);
    }
    SECTION("alone: it backs off and asks again") {
        s.run(600ms);
        CHECK(s.role() == role_name::prospect);
        CHECK(s.epoch_now() == epoch{2});
    }
}

TEST_CASE("B.6.3.1: a BULLY that is able to run is deferred to for defer_wait") {
    stand s = with_log();
    s.open_all();
    s.ask();
    s.answer(one, answer_kind::grant, same(one));
    s.answer(three, answer_kind::bully, same(three));
    CHECK(s.role() == role_name::prospect);
    const duration waited = until_next_round(s);
    CHECK(waited >= 150ms);
    CHECK(waited < 152ms);
}

TEST_CASE("B.6.3.1: a BULLY that is not able to run counts as a grant if its log is no better") {
    stand s = with_log();
    s.open(three);
    s.ask();
    SECTION("eligible 0") {
        s.answer(three, answer_kind::bully, same(three, 0));
    }
    SECTION("it reaches no majority") {
        s.say(three,
              answer{.generation = s.last_said<election>(three).generation,
                     .kind = answer_kind::bully,
                     .rank = same(three),
                     .epoch = epoch{2},
                     .reach = 1},
              epoch{2});
    }
    CHECK(s.role() == role_name::candidate);
}

TEST_CASE("B.6.3.1: nobody is deferred to in more than two rounds in a row") {
    stand s = with_log();
    s.open(three);
    s.ask();
    for (int round = 1; round <= 2; ++round) {
        s.answer(three, answer_kind::bully, same(three));
        CHECK(s.role() == role_name::prospect);
        CHECK(until_next_round(s) >= 149ms);
    }
    s.answer(three, answer_kind::bully, same(three));
    CHECK(s.role() == role_name::candidate);
}

TEST_CASE("B.6.3.2: a majority of grants outweighs a late REFUSE") {
    stand s = with_log();
    s.open_all();
    const generation g = s.ask();
    s.say(one, refusal_by(g, three, epoch{2}), epoch{2});
    s.answer(three, answer_kind::grant, same(three));
    CHECK(s.role() == role_name::candidate);
}

TEST_CASE("B.6.3.2: an ABSTAIN counts for nothing") {
    stand s = with_log();
    s.open_all();
    s.ask();
    s.answer(one, answer_kind::abstain_damaged, shorter(one));
    s.answer(three, answer_kind::abstain_damaged, shorter(three));
    CHECK(s.role() == role_name::prospect);
}

TEST_CASE("B.6.3.2: a majority that grants is not held up by a minority's longer log") {
    const auto config = test::cluster_of(5);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.open_all();
    s.ask();
    s.answer(one, answer_kind::grant, same(one));
    s.answer(three, answer_kind::grant, same(three));
    s.answer(server_id{4}, answer_kind::bully, longer(server_id{4}, 0));
    s.answer(server_id{5}, answer_kind::grant, same(server_id{5}));
    CHECK(s.role() == role_name::candidate);
}

TEST_CASE("B.6.3.3: a REFUSE sends it back to BACKUP, and the next round waits longer each time") {
    stand s = with_log();
    s.open(one);
    generation g = s.ask();
    for (const auto pause : {50ms, 100ms, 200ms, 400ms, 400ms}) {
        s.say(one, refusal_by(g, three, epoch{2}), epoch{2});
        CHECK(s.role() == role_name::backup);
        const duration waited = until_next_round(s);
        CHECK(waited >= pause);
        CHECK(waited < pause + 2ms);
        g = s.last_said<election>(one).generation;
    }
    CHECK(s.epoch_now() == epoch{2});
}

TEST_CASE("B.6.3.3: a REFUSE that names a primary of an older epoch refuses nothing") {
    stand s = with_log();
    s.open(one);
    const generation g = s.ask();
    s.say(one, refusal_by(g, three, epoch{1}), epoch{2});
    CHECK(s.role() == role_name::prospect);
}

TEST_CASE("B.6.3.3: who saw the primary's end a moment ago asks again after 2 to 4 ms") {
    stand s = with_log();
    s.follow(three, epoch{2});
    s.close(three);
    const generation g = s.ask();
    s.pass(10ms);
    s.say(one, refusal_by(g, three, epoch{2}), epoch{2});
    const duration waited = until_next_round(s);
    CHECK(waited >= 2ms);
    CHECK(waited <= 4100us);
}

TEST_CASE("B.6.3.3: the pause after a REFUSE ends when it is taken back") {
    stand s = with_log();
    s.open(one);
    const generation g = s.ask();
    s.say(one, refusal_by(g, three, epoch{2}), epoch{2});
    s.forget();
    s.say(one,
          answer{.generation = g, .kind = answer_kind::grant, .rank = same(one), .epoch = epoch{2}},
          epoch{2});
    CHECK(s.role() == role_name::prospect);
    CHECK(s.count<election>(one) == 1);
}

TEST_CASE("B.6.3.5: each attempt in vain makes the backoff longer, up to 400 ms") {
    stand s = with_log();
    s.open(one);
    s.ask();
    duration longest{0};
    for (int attempt = 1; attempt <= 12; ++attempt) {
        const duration waited = until_next_round(s);
        // The round itself takes election_reply_wait.
        CHECK(waited >= 20ms);
        CHECK(waited <= 431ms);
        longest = std::max(longest, waited);
    }
    CHECK(longest >= 400ms);
}

TEST_CASE("B.6: of rounds that come to nothing the 1st, 2nd, 4th, 8th and so on are noted") {
    stand s = with_log();
    s.follow(three, epoch{2});
    s.each_peer([&s](server_id peer) { s.close(peer); });
    const auto noted = [&s] {
        return std::count_if(s.notes.begin(), s.notes.end(),
                             [](const note& n) { return n.kind == note_kind::round; });
    };
    s.run(60s);
    for (const char* const said : {"round 1: ", "round 2: ", "round 4: ", "round 64: "}) {
        CHECK(s.noted(said));
    }
    CHECK_FALSE(s.noted("round 3: "));
    CHECK(noted() >= 7);
    CHECK(noted() <= 10);
    SECTION("and from the beginning once there was a primary") {
        s.follow(three, epoch{3});
        s.forget();
        s.each_peer([&s](server_id peer) { s.close(peer); });
        s.run(2s);
        CHECK(noted() >= 2);
    }
}

TEST_CASE("B.6: whoever must not run never asks for votes, and asks WHOIS instead") {
    const auto config = test::cluster_of(3);
    start_state start = test::first_start(config, two);
    start.found_damaged = damage{.from = log_index{2}, .end = std::nullopt};
    stand s{start};
    s.open_all();
    s.run(3s);
    CHECK(s.count<election>(one) == 0);
    CHECK(s.role() == role_name::backup);
    CHECK(s.count<link_whois>(one) >= 2);
    CHECK(s.count<link_whois>(one) <= 4);
}

TEST_CASE("B.6: who counts is a voter of the own config") {
    const auto config = test::cluster_of(3);
    cluster_config with_learner = config;
    with_learner.members.push_back(
        {.id = server_id{4}, .uuid = test::disk_of(server_id{4}), .addresses = {}, .voter = false});
    history log{config};
    entry change{.epoch = epoch{2}, .type = entry_type::config};
    wire::encode(with_learner, change.payload);
    log.add(epoch{2}).add(change);
    start_state start = started(config, two, log);
    start.configs.push_back(start.recent.back());
    stand s{start};
    greeting learner = s.greeting_of(server_id{4});
    s.accept(learner);
    s.run(600ms);
    REQUIRE(s.role() == role_name::prospect);
    CHECK(s.count<election>(server_id{4}) == 0);
    s.say(server_id{4}, answer{.generation = generation{1}, .kind = answer_kind::grant, .rank = {}},
          epoch{2});
    s.run(31ms);
    CHECK(s.role() == role_name::prospect);
}

} // namespace almenara::replica
