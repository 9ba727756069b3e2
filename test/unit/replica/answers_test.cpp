#include "unit/replica/stand.hpp"

// B.6, answering ELECTION: the first branch that matches, in the order of the page.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

stand with_log() {
    const auto config = test::cluster_of(3);
    return stand{started(config, two, history{config}.add(epoch{2}, 4))};
}

rank up_to(server_id of, std::uint64_t index, std::uint8_t eligible = 2) {
    return stand::rank(of, epoch{2}, log_index{index}, eligible);
}

void asks(stand& s, server_id who, rank with, epoch in = epoch{2}) {
    s.say(who, election{.generation = generation{7}, .rank = with}, in);
}

answer answer_to(stand& s, server_id who, rank with, epoch in = epoch{2}) {
    asks(s, who, with, in);
    return s.last_said<answer>(who);
}

} // namespace

TEST_CASE("B.6 answering: a primary with a live quorum refuses in its own name") {
    stand s = with_log();
    const epoch mine = s.rule();
    const answer a = answer_to(s, three, up_to(three, 99));
    CHECK(a.kind == answer_kind::refuse);
    CHECK(a.generation == generation{7});
    CHECK(a.known_primary == two);
    CHECK(a.primary_epoch == mine);
    CHECK(s.role() == role_name::primary);
}

TEST_CASE("B.6 answering: a new primary's quorum counts as live for its first check_quorum") {
    stand s = with_log();
    s.take_office();
    s.pass(349ms);
    CHECK(answer_to(s, three, up_to(three, 99)).kind == answer_kind::refuse);
}

TEST_CASE("B.6 answering: who has a live primary refuses all but the primary itself") {
    stand s = with_log();
    s.follow(three, epoch{3});
    CHECK(answer_to(s, one, up_to(one, 99)).kind == answer_kind::refuse);
    CHECK(s.last_said<answer>(one).known_primary == three);
    CHECK(s.last_said<answer>(one).primary_epoch == epoch{3});
    CHECK(answer_to(s, three, up_to(three, 99)).kind == answer_kind::grant);
    CHECK_FALSE(s.status().known_primary);
}

TEST_CASE("B.6 answering: a primary that was silent for suspect_timeout is not live") {
    stand s = with_log();
    s.follow(three, epoch{3});
    s.pass(401ms);
    CHECK(answer_to(s, one, up_to(one, 99)).kind == answer_kind::grant);
}

TEST_CASE("B.6 answering: a REFUSE is taken back when the primary is suspected within 1 s") {
    stand s = with_log();
    s.follow(three, epoch{3});
    REQUIRE(answer_to(s, one, up_to(one, 99)).kind == answer_kind::refuse);
    SECTION("within it") {
        s.close(three);
        CHECK(s.last_said<answer>(one).kind == answer_kind::grant);
        CHECK(s.last_said<answer>(one).generation == generation{7});
    }
    SECTION("after it") {
        for (int i = 0; i < 6; ++i) {
            s.pass(200ms);
            s.heartbeat(three, epoch{3});
        }
        s.close(three);
        CHECK(s.count<answer>(one) == 1);
    }
}

TEST_CASE("B.6 answering: a damaged log whose end is unknown abstains, whoever asks") {
    const auto config = test::cluster_of(3);
    start_state start = test::first_start(config, two);
    start.meta.damaged = damage{.from = log_index{2}, .end = std::nullopt};
    stand s{start};
    s.open_all();
    CHECK(answer_to(s, one, up_to(one, 99)).kind == answer_kind::abstain_damaged);
    SECTION("but a live primary comes first") {
        s.heartbeat(three, epoch{3});
        CHECK(answer_to(s, one, up_to(one, 99)).kind == answer_kind::refuse);
    }
}

TEST_CASE("B.6 answering: a shorter log, or an equal one of lower rank, is bullied") {
    stand s = with_log();
    s.open_all();
    s.forget();
    rank theirs = up_to(one, 5);
    SECTION("shorter") {
        theirs = up_to(one, 4);
    }
    SECTION("of an older epoch, however long") {
        theirs = stand::rank(one, epoch{1}, log_index{1000});
    }
    SECTION("equal, less eligible") {
        theirs = up_to(one, 5, 1);
    }
    SECTION("equal, lower id") {
        theirs = up_to(one, 5);
    }
    CHECK(answer_to(s, one, theirs).kind == answer_kind::bully);
    SECTION("and an own round begins at once") {
        CHECK(s.count<election>(one) == 1);
    }
}

TEST_CASE("B.6 answering: only one round at a time comes of it") {
    stand s = with_log();
    s.open_all();
    s.forget();
    for (int i = 0; i < 5; ++i) {
        asks(s, one, up_to(one, 4));
    }
    CHECK(s.count<election>(one) == 1);
    CHECK(s.count<answer>(one) == 5);
}

TEST_CASE("B.6 answering: no own round within defer_wait after a PROMISE") {
    stand s = with_log();
    s.open_all();
    s.say(three, claim{.rank = up_to(three, 5)}, epoch{3});
    REQUIRE(s.last_said<promise>(three).granted);
    s.forget();
    s.pass(149ms);
    CHECK(answer_to(s, one, up_to(one, 4), epoch{3}).kind == answer_kind::bully);
    CHECK(s.count<election>(one) == 0);
    s.pass(1ms);
    asks(s, one, up_to(one, 4), epoch{3});
    CHECK(s.count<election>(one) == 1);
}

TEST_CASE("B.6 answering: who is not able to run bullies only a less recent log") {
    stand s = with_log();
    s.open(one); // Reach 2 of 3 for as long as it has just spoken.
    s.pass(401ms);
    SECTION("more recent") {
        const auto config = test::cluster_of(5);
        stand alone{started(config, two, history{config}.add(epoch{2}, 4))};
        alone.open(one);
        CHECK(answer_to(alone, one, up_to(one, 4)).kind == answer_kind::bully);
        CHECK(alone.count<election>(one) == 0);
    }
    SECTION("equal") {
        const auto config = test::cluster_of(5);
        stand alone{started(config, two, history{config}.add(epoch{2}, 4))};
        alone.open(one);
        CHECK(answer_to(alone, one, up_to(one, 5)).kind == answer_kind::grant);
    }
}

TEST_CASE("B.6 answering: a log at least as recent, of a higher rank, is granted") {
    stand s = with_log();
    s.open_all();
    CHECK(answer_to(s, three, up_to(three, 5)).kind == answer_kind::grant);
    CHECK(answer_to(s, one, up_to(one, 6)).kind == answer_kind::grant);
    SECTION("and a grant is not exclusive and not persisted") {
        CHECK(s.metas.empty());
        CHECK(answer_to(s, three, up_to(three, 6)).kind == answer_kind::grant);
    }
}

TEST_CASE("B.6 answering: never by the prospect's epoch (canonical/raft#279)") {
    stand s = with_log();
    s.open_all();
    s.say(three, claim{.rank = up_to(three, 5)}, epoch{40});
    REQUIRE(s.epoch_now() == epoch{40});
    CHECK(answer_to(s, three, up_to(three, 5), epoch{2}).kind == answer_kind::grant);
    CHECK(answer_to(s, three, up_to(three, 5), epoch{99}).kind == answer_kind::grant);
    CHECK(s.epoch_now() == epoch{40});
}

TEST_CASE("B.6 answering: DRAINING and damaged servers answer too") {
    const auto config = test::cluster_of(3);
    start_state start = started(config, two, history{config}.add(epoch{2}, 4));
    start.meta.damaged =
        damage{.from = log_index{6}, .end = log_end{.epoch = epoch{2}, .index = log_index{8}}};
    stand s{start};
    s.open_all();
    s.forget();
    // B.6: the log test is that of a PROMISE, by the end of what the log once held.
    CHECK(answer_to(s, three, up_to(three, 7)).kind == answer_kind::bully);
    CHECK(s.last_said<answer>(three).rank == up_to(two, 8, 0));
    CHECK(answer_to(s, three, up_to(three, 8)).kind == answer_kind::grant);
    CHECK(s.count<election>(three) == 0);
}

TEST_CASE("B.6 answering: a promise or an answer is never given in an epoch that is not durable") {
    stand s = with_log();
    s.open_all();
    s.meta_is_fast = false;
    s.say(three, claim{.rank = up_to(three, 5)}, epoch{9});
    asks(s, one, up_to(one, 9));
    for (const test::spoken& said : s.sent) {
        CHECK(said.epoch <= epoch{2});
    }
}

} // namespace almenara::replica
