#include "unit/replica/stand.hpp"

#include <algorithm>

// E0: epochs are counted one by one. Who leaps lies, or its memory does, and is not followed: no
// epoch could be claimed above the last one there is.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

constexpr epoch last_epoch{~0ULL};
constexpr std::uint64_t leap = 1ULL << 62U;
/// What is believed of who only speaks of an epoch.
constexpr std::uint64_t furthest = 1ULL << 32U;

stand server_two() {
    return stand{started(test::cluster_of(3), two, history{test::cluster_of(3)}.add(epoch{2}, 4))};
}

bool was_closed(const stand& s, connection_id id) {
    return std::find(s.closed.begin(), s.closed.end(), id) != s.closed.end();
}

} // namespace

TEST_CASE("E0: a frame whose header leaps is refused, whatever it is, and nothing is persisted") {
    // By value: with a name in front GENERATE would keep references, also to what is gone.
    const auto in = GENERATE(as<epoch>{}, last_epoch, epoch{leap + 3});
    const std::vector<message> all{
        heartbeat{.primary = three},
        append{.primary = three},
        coordinator{.primary = three},
        append_ack{},
        append_nack{},
        heartbeat_ack{},
        claim{.rank = stand::rank(three, epoch{2}, log_index{9})},
        promise{.claimed = epoch{3},
                .granted = false,
                .reason = denial::epoch,
                .rank = {},
                .clock = {}},
        resign{},
        link_ping{},
    };
    for (const message& what : all) {
        INFO("epoch " << in << ", alternative " << what.index());
        stand s = server_two();
        s.follow(one, epoch{2});
        const connection_id liar = s.control_of(three);
        s.forget();
        s.say(three, what, in);
        CHECK(was_closed(s, liar));
        CHECK(s.epoch_now() == epoch{2});
        CHECK(s.metas.empty());
        CHECK(s.status().known_primary == one);
    }
}

TEST_CASE("E0: a primary is not deposed by a leap, and no later claim of its own is") {
    stand s{3};
    const epoch mine = s.rule();
    s.say(three, append_ack{}, last_epoch);
    CHECK(s.role() == role_name::primary);
    s.open(three);
    s.close(one);
    s.close(three);
    s.run_until([&] { return s.role() != role_name::primary; });
    s.forget();
    CHECK(s.take_office() == mine.next());
}

TEST_CASE("E0: the claim behind the furthest epoch that is believed is heard by all others") {
    stand s{3};
    const epoch mine = s.rule();
    s.forget();
    s.say(three, append_nack{}, epoch{mine.value() + furthest});
    REQUIRE(s.role() == role_name::prospect);
    s.answer(one, answer_kind::grant, s.rank_of(one), mine);
    s.answer(three, answer_kind::grant, s.rank_of(three), mine);
    REQUIRE(s.role() == role_name::candidate);
    const epoch claimed = s.epoch_now();
    CHECK(claimed == epoch{mine.value() + furthest + 1});
    stand other = server_two();
    other.open(three);
    other.say(three, claim{.rank = stand::rank(three, epoch{2}, log_index{9})}, claimed);
    CHECK(other.last_said<promise>(three).granted);
}

TEST_CASE("E0: an epoch that nobody can have reached deposes nobody by word") {
    stand s{3};
    const epoch mine = s.rule();
    s.say(three, append_nack{}, epoch{mine.value() + furthest + 1});
    s.say(three, append_ack{}, epoch{mine.value() + furthest + 1});
    CHECK(s.role() == role_name::primary);
}

TEST_CASE("E0: an epoch that others may have reached without this server is followed") {
    stand s = server_two();
    s.follow(three, epoch{2 + leap});
    CHECK(s.epoch_now() == epoch{2 + leap});
}

TEST_CASE("E0: an ANSWER that leaps is none, and the claim does not follow it") {
    stand s = server_two();
    s.open_all();
    s.ask();
    answer lie{.generation = s.last_said<election>(one).generation,
               .kind = answer_kind::bully,
               .rank = stand::rank(one, epoch{2}, log_index{9}),
               .epoch = epoch{2},
               .reach = 3};
    SECTION("by the sender's epoch") {
        lie.epoch = last_epoch;
    }
    SECTION("by the end of its log") {
        lie.rank.last_epoch = last_epoch;
    }
    s.say(one, lie, epoch{2});
    s.answer(three, answer_kind::grant, s.rank_of(three), epoch{2});
    s.run(31ms);
    CHECK(s.count<fetch>(one) == 0);
    CHECK(s.role() == role_name::candidate);
    CHECK(s.epoch_now() == epoch{3});
}

TEST_CASE("E6: an entry whose epoch its source cannot have is not pulled, and nothing persisted") {
    stand s = server_two();
    s.open(three);
    s.ask();
    rank theirs = stand::rank(three, epoch{2}, log_index{6});
    s.say(three,
          answer{.generation = s.last_said<election>(three).generation,
                 .kind = answer_kind::bully,
                 .rank = theirs,
                 .epoch = epoch{2},
                 .reach = 1},
          epoch{2});
    REQUIRE(s.count<fetch>(three) == 1);
    const fetch asked = s.last_said<fetch>(three);
    epoch of_the_entry = last_epoch;
    SECTION("above the end that the source named") {
        of_the_entry = epoch{3};
    }
    SECTION("a leap") {}
    SECTION("a leap that the source stands by") {
        theirs.last_epoch = last_epoch;
    }
    const history log = history{test::cluster_of(3)}.add(epoch{2}, 4).add(of_the_entry);
    s.forget();
    s.say(three,
          log_chunk{.generation = asked.generation,
                    .previous = asked.from,
                    .entries = log.between(log_index{6}, log_index{6}),
                    .reason = chunk_reason::end,
                    .rank = theirs},
          epoch{2});
    CHECK(s.last().index == log_index{5});
    CHECK(s.epoch_now() == epoch{2});
    CHECK(s.metas.empty());
    CHECK(s.noted(note_kind::pull_ended));
}

} // namespace almenara::replica
