#include "state/session_table.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

// C.1: how sessions begin, stay and end.
namespace almenara::state {

namespace {

using test::bytes_of;
using test::code_of;
using test::expect;
using test::id_number;
using test::little_primary;
using test::little_server;
namespace kv = test::kv;
using std::chrono::hours;

constexpr duration day = hours{24};

open_request opening(std::uint8_t nonce, std::uint8_t device = 0) {
    return {.request = request_id{nonce},
            .device = id_number<device_id>(device),
            .nonce = id_number<open_nonce>(nonce)};
}

bool is_there(const little_primary& server, session_id session) {
    return find_session(server.base(), session).has_value();
}

/// Sweeps until it finds nothing, and confirms all of it.
std::size_t sweeps_all(little_primary& server) {
    std::size_t entries = 0;
    while (server.sweeps()) {
        ++entries;
        REQUIRE(entries < 1000);
    }
    static_cast<void>(server.confirms_all());
    return entries;
}

const kv::put some_put{.key = "a", .value = bytes_of("1")};

} // namespace

TEST_CASE("C.1 opening a session is an entry, and is answered when it is confirmed") {
    little_primary primary;
    const auto entry = expect<proposed>(primary.opens(connection_id{2}, opening(9)));
    CHECK(entry.label == update_label::session_open);
    const auto told = primary.confirms_all();
    REQUIRE(told.size() == 1);
    CHECK(told[0].connection == connection_id{2});
    CHECK(told[0].request == request_id{9});
    CHECK(told[0].session == entry.session);
    CHECK(told[0].index == primary.last());
    CHECK(is_there(primary, entry.session));
    CHECK(count_sessions(primary.base()) == 2);
}

TEST_CASE("C.1 the same nonce of the same device opens the same session") {
    little_primary primary;
    const auto first = expect<proposed>(primary.opens(connection_id{2}, opening(9)));
    const log_index index = primary.last();
    CHECK(expect<waits>(primary.opens(connection_id{3}, opening(9))).index == index);
    const auto told = primary.confirms_all();
    // Both asked, so both are told.
    REQUIRE(told.size() == 2);
    CHECK(told[0].connection == connection_id{2});
    CHECK(told[1].connection == connection_id{3});
    CHECK(told[0].session == told[1].session);
    const auto again = expect<known>(primary.opens(connection_id{4}, opening(9)));
    CHECK(again.session == first.session);
    CHECK(again.index == index);
    CHECK(primary.last() == index);

    CHECK_FALSE(expect<proposed>(primary.opens(connection_id{4}, opening(9, 1))).session ==
                first.session);
    CHECK_FALSE(expect<proposed>(primary.opens(connection_id{4}, opening(10))).session ==
                first.session);
}

TEST_CASE("C.1 an opening can be tried again at the next primary") {
    little_primary old_primary;
    const auto first = expect<proposed>(old_primary.opens(connection_id{2}, opening(9)));
    little_server next;
    next.copies_log(old_primary, old_primary.last());
    next.takes_office(2);
    expect<waits>(next.opens(connection_id{3}, opening(9)));
    const auto told = next.confirms_all();
    REQUIRE(told.size() == 1);
    CHECK(told[0].session == first.session);
    CHECK(told[0].connection == connection_id{3});
}

TEST_CASE("C.1 a session idle for 30 days expires, with everything that it had") {
    little_primary primary;
    primary.hears(1, some_put);
    primary.hears(7, some_put);
    static_cast<void>(primary.confirms_all());
    const std::size_t rows = primary.base().size();
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);

    primary.waits(30 * day - std::chrono::milliseconds{1});
    CHECK(sweeps_all(primary) == 0);
    primary.waits(std::chrono::milliseconds{1});
    const auto entry = primary.sweeps();
    REQUIRE(entry);
    CHECK(entry->label == update_label::expire);
    static_cast<void>(primary.confirms_all());
    CHECK_FALSE(is_there(primary, primary.session));
    CHECK(count_sessions(primary.base()) == 0);
    // The session, its nonce and two results went; what it had written stays.
    CHECK(primary.base().size() == rows - 4);
    CHECK(std::holds_alternative<probe_first>(
        primary.desk().attach(primary.client, primary.session)));
    CHECK(primary.desk().why_not(primary.session, std::nullopt).code ==
          result_code::session_expired);
}

TEST_CASE("C.1 the nonce of an expired session opens a new one") {
    little_primary primary;
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);
    primary.waits(31 * day);
    CHECK(sweeps_all(primary) == 1);
    CHECK_FALSE(primary.has_session(connection_id{2}) == primary.session);
}

TEST_CASE("I28 a session that is attached does not expire") {
    little_primary primary;
    primary.waits(31 * day);
    const auto entry = primary.sweeps();
    REQUIRE(entry);
    CHECK(entry->label == update_label::update);
    static_cast<void>(primary.confirms_all());
    CHECK(is_there(primary, primary.session));
}

TEST_CASE("I28 a session that had an operation in this term of office does not expire") {
    little_primary primary;
    primary.hears(1, some_put);
    static_cast<void>(primary.confirms_all());
    primary.desk().connection_closed(primary.client);
    primary.waits(31 * day);
    CHECK(sweeps_all(primary) == 0);
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);
    CHECK(sweeps_all(primary) == 1);
    CHECK_FALSE(is_there(primary, primary.session));
}

TEST_CASE("I28 a session whose expiry is on the way cannot be attached any more") {
    little_primary primary;
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);
    primary.waits(31 * day);
    REQUIRE(primary.sweeps());
    // Its end is on the way: it cannot be attached any more, and nobody says yet that it ended.
    CHECK(std::holds_alternative<probe_first>(
        primary.desk().attach(primary.client, primary.session)));
    CHECK(primary.desk().why_not(primary.session, std::nullopt).code == result_code::busy);
}

TEST_CASE("C.1 an attached session is touched once a day, so a device that only reads stays") {
    little_primary primary;
    const auto opened = find_session(primary.base(), primary.session)->active;
    primary.waits(day - std::chrono::milliseconds{1});
    CHECK(sweeps_all(primary) == 0);
    primary.waits(std::chrono::milliseconds{1});
    CHECK(sweeps_all(primary) == 1);
    CHECK(find_session(primary.base(), primary.session)->active.since_epoch() ==
          opened.since_epoch() + hours{24});
    CHECK(sweeps_all(primary) == 0);
}

TEST_CASE("C.1 an operation counts as use") {
    little_primary primary;
    primary.waits(day);
    primary.hears(1, some_put);
    CHECK(sweeps_all(primary) == 0);
}

TEST_CASE("C.1 beyond the limit of sessions the oldest idle ones expire first") {
    limits bounds;
    bounds.sessions = 3;
    bounds.sweep_rows = 2;
    little_primary primary{bounds};
    std::vector<session_id> sessions;
    // Random ids: their order is not that of their age.
    for (std::uint8_t i = 0; i < 6; ++i) {
        primary.waits(hours{1});
        sessions.push_back(
            primary.has_session(connection_id{2}, static_cast<std::uint8_t>(i + 10)));
    }
    // Connection 2 speaks for the last, 1 for the very first; the others are idle.
    for (int calls = 0; calls < 20; ++calls) {
        static_cast<void>(primary.sweeps());
        static_cast<void>(primary.confirms_all());
    }
    CHECK(count_sessions(primary.base()) == 3);
    CHECK(is_there(primary, primary.session));
    CHECK_FALSE(is_there(primary, sessions[0]));
    CHECK_FALSE(is_there(primary, sessions[3]));
    CHECK(is_there(primary, sessions[4]));
    CHECK(is_there(primary, sessions[5]));
}

TEST_CASE("C.1 who comes back while the sweep goes on is spared") {
    limits bounds;
    bounds.sessions = 1;
    bounds.sweep_rows = 2;
    little_primary primary{bounds};
    const session_id idle = primary.has_session(connection_id{2}, 10);
    const session_id back = primary.has_session(connection_id{2}, 11);
    const session_id last = primary.has_session(connection_id{2}, 12);
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);
    static_cast<void>(primary.confirms_all());
    CHECK_FALSE(primary.sweeps());
    primary.attaches(connection_id{3}, primary.session);
    primary.attaches(connection_id{4}, back);
    for (int calls = 0; calls < 20; ++calls) {
        static_cast<void>(primary.sweeps());
        static_cast<void>(primary.confirms_all());
    }
    CHECK(is_there(primary, primary.session));
    CHECK(is_there(primary, back));
    CHECK_FALSE(is_there(primary, idle));
    CHECK_FALSE(is_there(primary, last));
}

TEST_CASE("C.1 one entry ends so many sessions, the next ones end the others") {
    limits bounds;
    bounds.swept_at_once = 2;
    little_primary primary{bounds};
    for (std::uint8_t i = 0; i < 4; ++i) {
        static_cast<void>(primary.has_session(connection_id{2}, static_cast<std::uint8_t>(i + 10)));
    }
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);
    primary.waits(31 * day);
    CHECK(sweeps_all(primary) == 3);
    CHECK(count_sessions(primary.base()) == 0);
}

TEST_CASE("C.1 one entry erases so many results") {
    limits bounds;
    bounds.erased_at_once = 3;
    little_primary primary{bounds};
    const session_id other = primary.has_session(connection_id{2}, 10);
    for (const std::uint64_t seq : {1U, 2U}) {
        primary.hears(seq, some_put);
        primary.says(connection_id{2}, other, seq, some_put);
    }
    static_cast<void>(primary.confirms_all());
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);
    primary.waits(31 * day);
    CHECK(sweeps_all(primary) == 2);
    CHECK(count_sessions(primary.base()) == 0);
}

TEST_CASE("C.1 there is an end to opening sessions") {
    limits bounds;
    bounds.most_sessions = 2;
    little_primary primary{bounds};
    expect<proposed>(primary.opens(connection_id{2}, opening(9)));
    const log_index before = primary.last();
    CHECK(code_of(primary.opens(connection_id{2}, opening(10))) == result_code::busy);
    expect<waits>(primary.opens(connection_id{2}, opening(9)));
    CHECK(primary.last() == before);
}

TEST_CASE("C.1 beyond the limit an opening takes the place of the session that is idle longest") {
    limits bounds;
    bounds.sessions = 4;
    bounds.most_sessions = 4;
    little_primary primary{bounds};
    std::vector<session_id> idle;
    for (std::uint8_t i = 0; i < 3; ++i) {
        primary.waits(hours{1});
        idle.push_back(primary.has_session(connection_id{2}, static_cast<std::uint8_t>(i + 10)));
    }
    // Nobody knows yet who is idle: that takes a sweep over all sessions.
    CHECK(code_of(primary.opens(connection_id{3}, opening(20))) == result_code::busy);
    CHECK_FALSE(primary.sweeps());
    const auto entry = expect<proposed>(primary.opens(connection_id{3}, opening(21)));
    CHECK(entry.label == update_label::session_open);
    static_cast<void>(primary.confirms_all());
    CHECK(count_sessions(primary.base()) == 4);
    CHECK_FALSE(is_there(primary, idle[0]));
    expect<proposed>(primary.opens(connection_id{3}, opening(22)));
    static_cast<void>(primary.confirms_all());
    CHECK(count_sessions(primary.base()) == 4);
    CHECK_FALSE(is_there(primary, idle[1]));
    // I28: those that are attached stay, and so does the one that is known no more.
    CHECK(code_of(primary.opens(connection_id{3}, opening(23))) == result_code::busy);
    CHECK(is_there(primary, primary.session));
    CHECK(is_there(primary, idle[2]));
}

TEST_CASE("I28 an opening takes no place of a session that came back meanwhile") {
    limits bounds;
    bounds.sessions = 2;
    bounds.most_sessions = 2;
    little_primary primary{bounds};
    const session_id idle = primary.has_session(connection_id{2}, 10);
    primary.desk().connection_closed(connection_id{2});
    CHECK_FALSE(primary.sweeps());
    primary.attaches(connection_id{2}, idle);
    CHECK(code_of(primary.opens(connection_id{3}, opening(20))) == result_code::busy);
    CHECK(is_there(primary, idle));
}

TEST_CASE("C.1 far beyond the limit one pass finds work for many sweeps") {
    limits bounds;
    bounds.sessions = 1;
    bounds.swept_at_once = 2;
    bounds.sweep_rows = 100;
    little_primary primary{bounds};
    for (std::uint8_t i = 0; i < 9; ++i) {
        static_cast<void>(primary.has_session(connection_id{2}, static_cast<std::uint8_t>(i + 10)));
    }
    primary.desk().connection_closed(connection_id{2});
    CHECK(count_sessions(primary.base()) == 10);
    for (int calls = 0; calls < 5; ++calls) {
        CHECK(primary.sweeps());
    }
    static_cast<void>(primary.confirms_all());
    CHECK(count_sessions(primary.base()) == 1);
    CHECK(is_there(primary, primary.session));
}

TEST_CASE("C.1 a client that leaves for good ends its session, with everything that it had") {
    little_primary primary;
    const std::size_t rows = primary.base().size();
    primary.hears(1, some_put);
    static_cast<void>(primary.confirms_all());
    const auto entry = expect<proposed>(primary.closes(primary.client, primary.session));
    CHECK(entry.label == update_label::session_close);
    CHECK(entry.session == primary.session);
    const auto told = primary.confirms_all();
    REQUIRE(told.size() == 1);
    CHECK(told[0].label == update_label::session_close);
    CHECK(told[0].connection == primary.client);
    CHECK(told[0].session == primary.session);
    CHECK(told[0].index == primary.last());
    CHECK(told[0].reply.code == result_code::ok);
    CHECK_FALSE(is_there(primary, primary.session));
    CHECK(count_sessions(primary.base()) == 0);
    // The session and its nonce went; what it had written stays, and so does the count.
    CHECK(primary.base().size() == rows - 2 + 1);
}

TEST_CASE("C.1 a session that had an operation in this term of office makes room by its closing") {
    limits bounds;
    bounds.sessions = 1;
    bounds.most_sessions = 1;
    little_primary primary{bounds};
    primary.hears(1, some_put);
    static_cast<void>(primary.confirms_all());
    CHECK(code_of(primary.opens(connection_id{2}, opening(9))) == result_code::busy);
    expect<proposed>(primary.closes(primary.client, primary.session));
    expect<proposed>(primary.opens(connection_id{2}, opening(9)));
    static_cast<void>(primary.confirms_all());
    CHECK(count_sessions(primary.base()) == 1);
}

TEST_CASE("C.1 closing again waits for the first, and then the session is gone") {
    little_primary primary;
    expect<proposed>(primary.closes(primary.client, primary.session, 1));
    const log_index index = primary.last();
    // From anywhere: nobody can be attached to it any more.
    CHECK(expect<waits>(primary.closes(connection_id{7}, primary.session, 2)).index == index);
    const auto told = primary.confirms_all();
    REQUIRE(told.size() == 2);
    CHECK(told[1].connection == connection_id{7});
    CHECK(told[1].request == request_id{2});
    expect<probe_first>(primary.closes(connection_id{7}, primary.session, 3));
    CHECK(primary.desk().why_not(primary.session, std::nullopt).code ==
          result_code::session_expired);
    CHECK(primary.last() == index);
}

TEST_CASE("C.1 a closing can be asked for again at the next primary") {
    little_primary old_primary;
    const log_index before = old_primary.last();
    expect<proposed>(old_primary.closes(old_primary.client, old_primary.session));
    little_server next;
    next.copies_log(old_primary, old_primary.last());
    next.commits(before);
    next.takes_office(2);
    expect<probe_first>(next.closes(connection_id{3}, old_primary.session));
    // Its end is not committed yet, and may never be.
    CHECK(next.desk().why_not(old_primary.session, std::nullopt).code == result_code::busy);
    static_cast<void>(next.confirms_all());
    expect<probe_first>(next.closes(connection_id{3}, old_primary.session));
    CHECK(next.desk().why_not(old_primary.session, std::nullopt).code ==
          result_code::session_expired);
}

TEST_CASE("C.1 a closing that was lost with its office did not happen") {
    little_primary primary;
    expect<proposed>(primary.closes(primary.client, primary.session));
    const auto told = primary.leaves_office();
    REQUIRE(told.size() == 1);
    CHECK(told[0].reply.code == result_code::retry_elsewhere);
    CHECK(find_session(primary.desk().log_beyond_base().whole_view(), primary.session));
}

TEST_CASE("C.1 a session with unanswered operations is not closed") {
    little_primary primary;
    primary.hears(1, some_put);
    const log_index before = primary.last();
    CHECK(code_of(primary.closes(primary.client, primary.session)) == result_code::busy);
    CHECK(primary.last() == before);
    static_cast<void>(primary.confirms_all());
    expect<proposed>(primary.closes(primary.client, primary.session));
    // What comes behind the closing has no session any more.
    expect<probe_first>(primary.hears(2, some_put));
}

TEST_CASE("C.1 only who speaks for a session closes it") {
    little_primary primary;
    expect<not_attached>(primary.closes(connection_id{2}, primary.session));
    primary.attaches(connection_id{2}, primary.session);
    expect<not_attached>(primary.closes(primary.client, primary.session));
    expect<proposed>(primary.closes(connection_id{2}, primary.session));
}

TEST_CASE("B.4 log time that stands still expires nobody") {
    little_primary primary;
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);
    for (int calls = 0; calls < 100; ++calls) {
        CHECK_FALSE(primary.sweeps());
    }
    CHECK(is_there(primary, primary.session));
}

} // namespace almenara::state
