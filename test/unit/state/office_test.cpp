#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <string>

// B.4, B.5 and B.9: what taking and losing office mean for the state, and what readers see.
namespace almenara::state {

namespace {

using test::bytes_of;
using test::code_of;
using test::expect;
using test::kv_message;
using test::little_primary;
using test::little_server;
namespace kv = test::kv;

kv::put put(std::string_view key, std::string_view value) {
    return {.key = std::string{key}, .value = bytes_of(value)};
}

std::string text_at(const little_server& server, const std::string& key) {
    const reply found = server.asks(kv::get{key});
    return found.code == result_code::ok
               ? std::string{base::as_text(kv_message<kv::value>(found).bytes)}
               : std::string{"none"};
}

} // namespace

TEST_CASE("B.4 speculation: an operation sees those before it, a reader sees what is committed") {
    little_primary primary;
    primary.hears(1, kv::add{.key = "n", .delta = 1});
    const log_index first = primary.last();
    primary.hears(2, kv::add{.key = "n", .delta = 1});
    CHECK(kv_message<kv::added>(primary.newest_update().reply).value == 2);
    CHECK(text_at(primary, "n") == "none");
    primary.commits(first);
    CHECK(text_at(primary, "n") == "1");
    static_cast<void>(primary.confirms_all());
    CHECK(text_at(primary, "n") == "2");
}

TEST_CASE("B.9 an answer names the committed index that it comes from") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    const auto question = test::kv_body(kv::get{"a"});
    const log_index before{primary.last().value() - 1};
    CHECK(primary.desk().read(question).index == before);
    primary.commits_all();
    CHECK(primary.desk().read(question).index == primary.last());
}

TEST_CASE("B.5.5 a primary whose own disk is slow reads what the others have committed") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    primary.desk().committed_upto(primary.last());
    CHECK(text_at(primary, "a") == "1");
    CHECK(primary.base().applied().index < primary.last());
    // Its own disk follows.
    primary.commits_all();
    CHECK(primary.base().applied().index == primary.last());
    CHECK(text_at(primary, "a") == "1");
}

TEST_CASE("B.5.6 what was confirmed to a client is seen by the next reader") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    CHECK(primary.desk().confirmed(primary.last()).size() == 1);
    CHECK(text_at(primary, "a") == "1");
}

TEST_CASE("B.4 losing office drops what was pending, and its clients are told that nobody knows") {
    little_primary primary;
    primary.hears(1, put("a", "old"));
    static_cast<void>(primary.confirms_all());
    const log_index committed = primary.last();
    primary.hears(2, put("a", "new"));
    const auto told = primary.leaves_office();
    REQUIRE(told.size() == 1);
    CHECK(told[0].reply.code == result_code::retry_elsewhere);
    CHECK(told[0].connection == primary.client);
    CHECK(told[0].seq == sequence{2});
    CHECK(primary.desk().log_beyond_base().last() == committed);
    CHECK(text_at(primary, "a") == "old");
    CHECK(primary.desk().waiting() == 0);
    CHECK_FALSE(primary.desk().in_office());
}

TEST_CASE("B.4 the place of a dropped entry is taken by another primary's") {
    little_primary old_primary;
    little_server next;
    next.copies_log(old_primary, old_primary.last());
    next.commits_all();
    old_primary.hears(1, put("a", "never was"));
    static_cast<void>(old_primary.leaves_office());

    next.takes_office(2);
    next.attaches(connection_id{4}, old_primary.session);
    next.says(connection_id{4}, old_primary.session, 1, put("a", "is"));
    old_primary.copies_log(next, next.last());
    old_primary.commits_all();
    next.commits_all();
    CHECK(text_at(old_primary, "a") == "is");
    CHECK(old_primary.base().digest() == next.base().digest());
}

TEST_CASE("I9 a backup that only applies has the primary's state") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    primary.hears(2, kv::add{.key = "n", .delta = -7});
    primary.hears(3, kv::remove{"a"}, 2);
    primary.hears(4, kv::remove{"a"}, 2);
    static_cast<void>(primary.confirms_all());
    little_server backup;
    backup.copies_log(primary, primary.last());
    backup.commits_all();
    CHECK(backup.base().applied() == primary.base().applied());
    CHECK(backup.base().digest() == primary.base().digest());
}

TEST_CASE("B.4 a new primary executes over its own uncommitted tail") {
    little_primary old_primary;
    old_primary.hears(1, put("n", "40"));
    little_server next;
    next.copies_log(old_primary, old_primary.last());
    next.takes_office(2);
    next.attaches(connection_id{4}, old_primary.session);
    expect<proposed>(
        next.says(connection_id{4}, old_primary.session, 2, kv::add{.key = "n", .delta = 2}));
    CHECK(kv_message<kv::added>(next.newest_update().reply).value == 42);
    CHECK(text_at(next, "n") == "none");
}

TEST_CASE("B.4 office taken while the own disk is behind the commit index") {
    little_primary old_primary;
    old_primary.hears(1, put("a", "1"));
    static_cast<void>(old_primary.confirms_all());
    const log_index committed = old_primary.last();
    little_server next;
    next.copies_log(old_primary, committed);
    // The others have committed all of it, but nothing came to the state here yet.
    std::vector<log_record> tail;
    for (const test::log_entry& one : next.log()) {
        tail.push_back(one.record());
    }
    REQUIRE_FALSE(next.desk().entered_office(committed.next(), tail));
    CHECK(text_at(next, "a") == "1");
    next.commits_all();
    CHECK(next.base().digest() == old_primary.base().digest());
}

TEST_CASE("B.4 entries of a tail that the state has already are not taken twice") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    static_cast<void>(primary.confirms_all());
    std::vector<log_record> whole_log;
    for (const test::log_entry& one : primary.log()) {
        whole_log.push_back(one.record());
    }
    static_cast<void>(primary.leaves_office());
    const std::uint64_t digest = primary.base().digest();
    REQUIRE_FALSE(primary.desk().entered_office(primary.last().next(), whole_log));
    CHECK(primary.desk().log_beyond_base().size() == 0);
    CHECK(primary.base().digest() == digest);
}

TEST_CASE("C.1 only the connection of the newest ATTACH may operate") {
    little_primary primary;
    const auto second = primary.attaches(connection_id{2}, primary.session);
    CHECK(second.to_close == primary.client);
    const log_index before = primary.last();
    expect<not_attached>(primary.hears(1, put("a", "late copy")));
    CHECK(primary.last() == before);
    expect<proposed>(primary.says(connection_id{2}, primary.session, 1, put("a", "1")));
}

TEST_CASE("C.1 a connection speaks for the session that it attached last, and for no other") {
    little_primary primary;
    const session_id other = primary.has_session(connection_id{2}, 2);
    expect<not_attached>(primary.says(connection_id{2}, primary.session, 1, put("a", "1")));
    CHECK_FALSE(primary.attaches(primary.client, primary.session).to_close);
    CHECK(primary.attaches(primary.client, other).to_close == connection_id{2});
    expect<not_attached>(primary.hears(1, put("a", "1")));
    expect<proposed>(primary.says(primary.client, other, 1, put("a", "1")));
}

TEST_CASE("C.1 an old connection that closes late takes nothing from the new one") {
    little_primary primary;
    primary.attaches(connection_id{2}, primary.session);
    primary.desk().connection_closed(primary.client);
    expect<proposed>(primary.says(connection_id{2}, primary.session, 1, put("a", "1")));
    primary.desk().connection_closed(connection_id{2});
    expect<not_attached>(primary.says(connection_id{2}, primary.session, 2, put("a", "1")));
}

TEST_CASE("C.1 taking office voids all attachments") {
    little_primary primary;
    static_cast<void>(primary.leaves_office());
    primary.takes_office(2);
    expect<not_attached>(primary.hears(1, put("a", "1")));
    primary.attaches(primary.client, primary.session);
    expect<proposed>(primary.hears(1, put("a", "1")));
}

TEST_CASE("C.1 the result goes to the connection that asked last, or to nobody") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    primary.hears(2, put("b", "2"));
    primary.desk().connection_closed(primary.client);
    primary.attaches(connection_id{2}, primary.session);
    expect<waits>(primary.says(connection_id{2}, primary.session, 2, put("b", "2")));
    const auto told = primary.confirms_all();
    REQUIRE(told.size() == 1);
    CHECK(told[0].connection == connection_id{2});
    CHECK(told[0].seq == sequence{2});
    CHECK(text_at(primary, "a") == "1");
}

TEST_CASE("C.1 who attaches is told the highest sequence with a committed result") {
    little_primary primary;
    primary.hears(4, put("a", "1"));
    CHECK(primary.attaches(primary.client, primary.session).last_known == sequence{0});
    static_cast<void>(primary.confirms_all());
    CHECK(primary.attaches(primary.client, primary.session).last_known == sequence{4});
}

TEST_CASE("E.1 without room only what erases is taken, and what is refused may come again") {
    little_primary primary;
    const kv::put one{.key = "a", .value = bytes_of("1")};
    expect<proposed>(primary.hears(1, one));
    static_cast<void>(primary.confirms_all());
    primary.may_grow = false;
    const kv::put two{.key = "b", .value = bytes_of("2")};
    CHECK(code_of(primary.hears(2, two)) == result_code::no_space);
    CHECK(code_of(primary.hears(2, kv::add{.key = "n", .delta = 1})) == result_code::no_space);
    // What was done before is answered as it was, and a refusal of the service is kept.
    CHECK(code_of(primary.hears(1, one)) == result_code::ok);
    expect<proposed>(primary.hears(3, kv::remove{"nothing"}));
    expect<proposed>(primary.hears(4, kv::remove{"a"}));
    static_cast<void>(primary.confirms_all());
    primary.may_grow = true;
    expect<proposed>(primary.hears(2, two));
}

} // namespace almenara::state
