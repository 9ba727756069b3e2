#include "server/reception.hpp"
#include "unit/server/reception_stand.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdint>

/// D.3: how a server with a long log of its own enters office: in shares, one a turn.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using test::reception_stand;

constexpr connection_id ann{1};
constexpr connection_id bob{2};
constexpr std::uint64_t written = 5;

/// Ann's session is committed, what she wrote is in the old primary's log and in the next one's.
struct heir_stand : reception_stand {
    explicit heir_stand(const log_share& share = {.entries = 2})
        : reception_stand({.looked_at_once = share}) {
        old_primary.takes_office(3);
        session = old_primary.has_session(ann);
        copies(old_primary, old_primary.last());
        for (std::uint64_t seq = 1; seq <= written; ++seq) {
            old_primary.says(ann, old_primary.puts(session, seq));
        }
        takes_tail(old_primary);
    }

    reception_stand old_primary;
    session_id session;
};

wire::whois whois() {
    return {.request = request_id{8}, .wait = 1000ms};
}

} // namespace

TEST_CASE("D.3: a long log is looked at in shares, and only then its server is in office") {
    heir_stand next;
    next.begins_office(4);
    CHECK_FALSE(next.hall().in_office());
    REQUIRE(next.hall().is_entering());
    CHECK(next.hall().beyond_base().value() + written - 1 == next.last().value());
    REQUIRE_FALSE(next.enters_further());
    REQUIRE(next.hall().is_entering());
    REQUIRE_FALSE(next.enters_further());
    CHECK_FALSE(next.hall().is_entering());
    CHECK(next.hall().in_office());
    CHECK(next.hall().beyond_base() == next.last());
    next.confirms_all();
    next.attaches(bob, next.session);
    next.says(bob, next.puts(next.session, written + 1));
    next.confirms_all();
    CHECK(next.hears<wire::operation_result>(bob).index == next.last());
}

TEST_CASE("D.3: a short log is looked at in the turn in which office is taken") {
    heir_stand next{log_share{.entries = 100}};
    next.begins_office(4);
    CHECK(next.hall().in_office());
    CHECK_FALSE(next.hall().is_entering());
    REQUIRE_FALSE(next.enters_further());
    CHECK(next.hall().in_office());
}

TEST_CASE("D.3: who asks while office is entered is held, and served in it") {
    heir_stand next;
    next.begins_office(4);
    next.says(bob, whois());
    next.says(bob, wire::attach{.request = request_id{1}, .session = next.session});
    CHECK(next.hears_nothing(bob));
    while (next.hall().is_entering()) {
        next.waits(0ms);
        CHECK(next.hears_nothing(bob));
        REQUIRE_FALSE(next.enters_further());
    }
    CHECK(next.hears<wire::primary_is>(bob).primary->id == test::own_id);
    REQUIRE(next.wants_a_turn());
    next.waits(0ms);
    CHECK(next.hears<wire::attached>(bob).request == request_id{1});
    // What the old primary has begun is found: it is not done again.
    next.says(bob, next.puts(next.session, written));
    next.confirms_all();
    CHECK(next.hears<wire::operation_result>(bob).index.next() == next.last());
}

TEST_CASE("D.3: of many who were held some are served in each turn, in order") {
    heir_stand next;
    next.begins_office(4);
    constexpr std::uint64_t many = 200;
    for (std::uint64_t i = 0; i < many; ++i) {
        next.says(connection_id{100 + i},
                  wire::attach{.request = request_id{1}, .session = next.session});
    }
    while (next.hall().is_entering()) {
        REQUIRE_FALSE(next.enters_further());
    }
    const auto served = [&next] {
        std::uint64_t count = 0;
        while (count < many && !next.hears_nothing(connection_id{100 + count})) {
            ++count;
        }
        return count;
    };
    std::uint64_t before = 0;
    while (next.wants_a_turn() && before < many) {
        next.waits(0ms);
        const std::uint64_t now = served();
        CHECK(now > before);
        CHECK(now - before < many / 2);
        before = now;
    }
    CHECK(before == many);
}

TEST_CASE(
    "B.5.1: one that was held and knows a higher epoch waits for a probe round all the same") {
    heir_stand next;
    next.begins_office(4);
    wire::read question = next.gets();
    question.epoch_seen = epoch{9};
    next.says(bob, question);
    while (next.hall().is_entering()) {
        REQUIRE_FALSE(next.enters_further());
    }
    next.waits(0ms);
    REQUIRE(next.probes() == 1);
    CHECK(next.newest_claim() == epoch{9});
}

TEST_CASE("D.3: nobody is held for an office for ever") {
    heir_stand next;
    next.begins_office(4);
    next.says(bob, next.gets());
    next.waits(999ms);
    CHECK(next.hears_nothing(bob));
    next.waits(1ms);
    CHECK_FALSE(next.hears<wire::redirect>(bob).primary);
    CHECK(next.hall().is_entering());
}

TEST_CASE("D.3: who leaves office before it was all in has dropped what was not committed") {
    heir_stand next;
    next.begins_office(4);
    next.says(bob, next.gets());
    const log_index committed{next.last().value() - written - 1};
    REQUIRE(next.hall().beyond_base() > committed);
    next.leaves_office();
    CHECK_FALSE(next.hall().is_entering());
    CHECK_FALSE(next.hall().in_office());
    CHECK(next.hall().beyond_base() == committed);
    static_cast<void>(next.hears<wire::redirect>(bob));
    REQUIRE_FALSE(next.enters_further());
    CHECK(next.hall().beyond_base() == committed);
    // Another one rules, and its log is taken.
    next.old_primary.confirms_all();
    next.copies(next.old_primary, next.old_primary.last());
    CHECK(next.digest() == next.old_primary.digest());
    next.takes_office(5);
    CHECK(next.hall().in_office());
}

TEST_CASE("D.3: entries may be committed while office is entered") {
    heir_stand next;
    const auto commits = [&](std::uint64_t ahead) {
        next.commits(log_index{next.hall().beyond_base().value() + ahead});
    };
    next.begins_office(4);
    SECTION("those that were looked at") {
        commits(0);
    }
    SECTION("others too") {
        commits(1);
    }
    SECTION("all") {
        next.commits_all();
    }
    while (next.hall().is_entering()) {
        REQUIRE_FALSE(next.enters_further());
    }
    CHECK(next.hall().in_office());
    CHECK(next.hall().beyond_base() == next.last());
    next.confirms_all();
    next.old_primary.leaves_office();
    next.old_primary.copies(next, next.last());
    CHECK(next.digest() == next.old_primary.digest());
}

TEST_CASE("B.8: who finds an unusable entry in a later share is not in office") {
    heir_stand next;
    next.takes({.index = next.last().next(),
                .of = epoch{3},
                .payload = test::bytes_of("no update at all")});
    const log_index unusable = next.last();
    next.begins_office(4);
    REQUIRE_FALSE(next.enters_further());
    const auto bad = next.enters_further();
    REQUIRE(bad);
    CHECK(bad->index == unusable);
    CHECK_FALSE(next.hall().is_entering());
    CHECK_FALSE(next.hall().in_office());
    next.leaves_office();
    CHECK(next.hall().beyond_base().value() == unusable.value() - written - 1);
}

TEST_CASE("B.8: behind an entry that cannot be applied nothing is answered any more") {
    using wire::result_code;
    reception_stand s;
    s.takes_office(3);
    const session_id session = s.has_session(ann);
    s.says(ann, s.puts(session, 1));
    s.says(bob, s.gets());
    REQUIRE(s.probes() == 1);
    const test::log_entry unusable{
        .index = s.last().next(), .of = epoch{3}, .payload = test::bytes_of("no update at all")};
    REQUIRE(s.hall().committed(unusable.record()));

    // What the same output of the core says behind it.
    s.hall().confirmed({.last = s.last(), .durable_on = 2, .voters = 3});
    CHECK(s.hears_nothing(ann));
    s.probes_return();
    CHECK(s.hears<wire::read_result>(bob).code == result_code::retry_elsewhere);
    // And what is asked before the office ends.
    s.says(bob, s.gets("k", wire::read_mode::stale));
    CHECK(s.hears<wire::read_result>(bob).code == result_code::retry_elsewhere);
    s.says(ann, s.puts(session, 2));
    CHECK(s.hears<wire::operation_result>(ann).code == result_code::retry_elsewhere);
    CHECK(s.hall().committed(unusable.record()));

    s.leaves_office();
    const auto told = s.hears<wire::operation_result>(ann);
    CHECK(told.seq == sequence{1});
    CHECK(told.code == result_code::retry_elsewhere);
    CHECK_FALSE(s.wants_a_turn());
}

} // namespace almenara::server
