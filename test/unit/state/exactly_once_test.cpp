#include "state/session_table.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <string>

// C.1 and B.5.2: how an operation is done once, whoever is asked how often.
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

/// Refused: the key has another version.
const kv::cas wrong{.key = "a", .expected_version = log_index{999}, .value = bytes_of("x")};

} // namespace

TEST_CASE("C.1 an operation is answered when it is confirmed, with the index of its entry") {
    little_primary primary;
    const auto entry = expect<proposed>(primary.hears(1, put("a", "1")));
    CHECK(entry.label == update_label::update);
    CHECK(entry.session == primary.session);
    CHECK(entry.seq == sequence{1});
    CHECK(primary.desk().confirmed(log_index{2}).empty());

    const auto told = primary.confirms_all();
    REQUIRE(told.size() == 1);
    CHECK(told[0].connection == primary.client);
    CHECK(told[0].request == request_id{1});
    CHECK(told[0].session == primary.session);
    CHECK(told[0].seq == sequence{1});
    CHECK(told[0].index == primary.last());
    CHECK(told[0].reply.code == result_code::ok);
    CHECK(kv_message<kv::written>(told[0].reply).version == primary.last());
}

TEST_CASE("C.1 what an operation came to is in the same entry as what it changed") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    transaction rows{primary.base()};
    for (const change& what : primary.newest_update().changes) {
        REQUIRE(what.kind == change_kind::put);
        rows.put(what.key, what.bytes);
    }
    const auto result = find_result(rows, primary.session, sequence{1});
    REQUIRE(result);
    CHECK(result->index == primary.last());
    CHECK(result->reply == primary.newest_update().reply);
    CHECK(rows.get("kv/a"));
}

TEST_CASE("B.5.2 a repeat that is not confirmed yet waits for the first") {
    little_primary primary;
    primary.hears(1, kv::add{.key = "n", .delta = 5});
    const log_index first = primary.last();
    CHECK(expect<waits>(primary.hears(1, kv::add{.key = "n", .delta = 5})).index == first);
    CHECK(primary.last() == first);
    REQUIRE(primary.confirms_all().size() == 1);
    CHECK(kv_message<kv::value>(primary.asks(kv::get{"n"})).bytes == bytes_of("5"));
}

TEST_CASE("C.1 a repeat gets the first result whatever else is wrong with it") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    const auto told = primary.confirms_all();
    const base::byte_vector too_large(limits{}.largest_body + 1);
    CHECK(expect<known>(primary.says_bytes(primary.client, primary.session, 1, too_large)).reply ==
          told.at(0).reply);
    CHECK(expect<known>(primary.hears(1, put("a", "1"), 2)).reply == told.at(0).reply);
    // What is wrong with a new one is said before whether there is room for it.
    CHECK(code_of(primary.says_bytes(primary.client, primary.session, 2, too_large)) ==
          result_code::too_large);
}

TEST_CASE("C.1 all requests that wait for one entry are answered, and too many are sent away") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    const auto ask = [&](std::uint32_t request) {
        const auto body = test::kv_body(put("a", "1"));
        return primary.desk().operation({.next = {.index = primary.last().next(), .time = {}},
                                         .confirmed_upto = primary.confirmed()},
                                        primary.client,
                                        {.request = request_id{request},
                                         .session = primary.session,
                                         .seq = sequence{1},
                                         .first_unacked = sequence{1},
                                         .body = body});
    };
    expect<waits>(ask(1)); // The very same request is one.
    expect<waits>(ask(11));
    expect<waits>(ask(12));
    expect<waits>(ask(13));
    CHECK(code_of(ask(14)) == result_code::retry_elsewhere);
    CHECK(primary.desk().waiting() == 1);
    const auto told = primary.confirms_all();
    REQUIRE(told.size() == waiters::most_askers);
    for (std::size_t i = 1; i < told.size(); ++i) {
        CHECK(told[i].request == request_id{static_cast<std::uint32_t>(10 + i)});
        CHECK(told[i].reply == told[0].reply);
    }
}

TEST_CASE("C.1 a connection that closes takes its own requests along, and no others") {
    little_primary primary;
    primary.opens(
        connection_id{5},
        {.request = request_id{1}, .device = {}, .nonce = test::id_number<open_nonce>(9)});
    primary.opens(
        connection_id{6},
        {.request = request_id{2}, .device = {}, .nonce = test::id_number<open_nonce>(9)});
    primary.hears(1, put("a", "1"));
    primary.desk().connection_closed(connection_id{5});
    primary.desk().connection_closed(connection_id{77});
    const auto told = primary.confirms_all();
    REQUIRE(told.size() == 2);
    CHECK(told[0].connection == connection_id{6});
    CHECK(told[1].connection == primary.client);
}

TEST_CASE("B.5.2 a repeat of what is confirmed is answered at once, with the first result") {
    little_primary primary;
    primary.hears(1, kv::add{.key = "n", .delta = 5});
    const auto told = primary.confirms_all();
    const auto again = expect<known>(primary.hears(1, kv::add{.key = "n", .delta = 5}));
    CHECK(again.index == told.at(0).index);
    CHECK(again.reply == told.at(0).reply);
    CHECK(kv_message<kv::added>(again.reply).value == 5);
}

TEST_CASE("I14 a sequence used again with another body gets the first result") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    const auto told = primary.confirms_all();
    CHECK(expect<known>(primary.hears(1, put("b", "2"))).reply == told.at(0).reply);
    CHECK(primary.asks(kv::get{"b"}).code == result_code::not_found);
}

TEST_CASE("B.5.2 a refusal is an entry and survives") {
    little_primary primary;
    expect<proposed>(primary.hears(1, put("a", "1")));
    expect<proposed>(primary.hears(2, wrong));
    const auto told = primary.confirms_all();
    REQUIRE(told.size() == 2);
    CHECK(told[1].reply.code == result_code::conflict);

    // Later it would succeed; the answer stays what it was.
    little_server next;
    next.copies_log(primary, primary.last());
    next.takes_office(2);
    static_cast<void>(next.confirms_all());
    next.attaches(connection_id{9}, primary.session);
    const auto again = expect<known>(
        next.says(connection_id{9}, primary.session, 2,
                  kv::cas{.key = "a", .expected_value = bytes_of("1"), .value = bytes_of("x")}));
    CHECK(again.reply == told[1].reply);
    CHECK(again.index == told[1].index);
}

TEST_CASE("B.5.2 a refusal changes nothing but its session") {
    little_primary primary;
    primary.hears(1, wrong);
    for (const change& what : primary.newest_update().changes) {
        CHECK(what.key.substr(0, 3) != "kv/");
    }
}

TEST_CASE("B.5.2 what follows from the body alone leaves no entry, and the sequence is free") {
    little_primary primary;
    const log_index before = primary.last();
    CHECK(code_of(primary.hears(1, put("", "1"))) == result_code::invalid);
    CHECK(code_of(primary.hears(1, put(std::string(513, 'k'), "1"))) == result_code::too_large);
    CHECK(code_of(primary.says_bytes(primary.client, primary.session, 1, {})) ==
          result_code::invalid);
    CHECK(code_of(primary.says_bytes(primary.client, primary.session, 1,
                                     base::byte_vector((512U << 10U) + 1))) ==
          result_code::too_large);
    CHECK(primary.last() == before);
    expect<proposed>(primary.hears(1, put("a", "1")));
}

TEST_CASE("C.1 sequences begin with 1, and an operation is not acked by itself") {
    little_primary primary;
    CHECK(code_of(primary.hears(0, put("a", "1"), 0)) == result_code::invalid);
    CHECK(code_of(primary.hears(3, put("a", "1"), 4)) == result_code::invalid);
}

TEST_CASE("B.5.2 at the next primary the retry attaches to the uncommitted tail's operation") {
    little_primary old_primary;
    old_primary.hears(1, kv::add{.key = "n", .delta = 5});

    little_server next;
    next.copies_log(old_primary, old_primary.last());
    next.commits(log_index{2});
    next.takes_office(2);
    next.attaches(connection_id{9}, old_primary.session);
    const log_index first = old_primary.last();
    CHECK(expect<waits>(
              next.says(connection_id{9}, old_primary.session, 1, kv::add{.key = "n", .delta = 5}))
              .index == first);
    const auto told = next.confirms_all();
    REQUIRE(told.size() == 1);
    CHECK(told[0].connection == connection_id{9});
    CHECK(told[0].index == first);
    CHECK(kv_message<kv::added>(told[0].reply).value == 5);
    CHECK(kv_message<kv::value>(next.asks(kv::get{"n"})).bytes == bytes_of("5"));
}

TEST_CASE("B.5.2 what an earlier office confirmed waits until this one has confirmed it too") {
    little_primary old_primary;
    old_primary.hears(1, put("a", "1"));
    static_cast<void>(old_primary.confirms_all());

    little_server next;
    next.copies_log(old_primary, old_primary.last());
    next.commits_all();
    next.takes_office(2);
    next.attaches(connection_id{9}, old_primary.session);
    expect<waits>(next.says(connection_id{9}, old_primary.session, 1, put("a", "1")));
    CHECK(next.confirms_all().size() == 1);
    expect<known>(next.says(connection_id{9}, old_primary.session, 1, put("a", "1")));
}

TEST_CASE("C.1 a result is dropped when a later operation's entry says that the client has it") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    primary.hears(2, put("a", "2"));
    primary.hears(3, put("a", "3"), 3);
    CHECK(find_result(primary.desk().log_beyond_base().committed_view(), primary.session,
                      sequence{1}) == std::nullopt);
    static_cast<void>(primary.confirms_all());
    CHECK_FALSE(find_result(primary.base(), primary.session, sequence{1}));
    CHECK_FALSE(find_result(primary.base(), primary.session, sequence{2}));
    CHECK(find_result(primary.base(), primary.session, sequence{3}));
    const auto session = find_session(primary.base(), primary.session);
    REQUIRE(session);
    CHECK(session->first_unacked == sequence{3});
    CHECK(session->results == 1);
    CHECK(session->last == sequence{3});
}

TEST_CASE("C.1 below first_unacked an operation is STALE, as soon as that is committed") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    primary.hears(2, put("a", "2"), 2);
    const log_index before = primary.last();
    expect<probe_first>(primary.hears(1, put("a", "1")));
    CHECK(primary.desk().why_not(primary.session, sequence{1}).code == result_code::busy);
    static_cast<void>(primary.confirms_all());
    expect<probe_first>(primary.hears(1, put("a", "1")));
    CHECK(primary.desk().why_not(primary.session, sequence{1}).code == result_code::stale);
    CHECK(primary.last() == before);
}

TEST_CASE("C.1 a refused or unconfirmed first_unacked frees nothing") {
    little_primary primary;
    primary.hears(1, put("a", "1"));
    // INVALID leaves no entry, and what leaves no entry acks nothing.
    CHECK(code_of(primary.hears(2, put("", "2"), 2)) == result_code::invalid);
    expect<waits>(primary.hears(1, put("a", "1")));
}

TEST_CASE("C.1 the table may have holes, and they can be filled later") {
    little_primary primary;
    expect<proposed>(primary.hears(5, put("a", "5")));
    expect<proposed>(primary.hears(2, put("b", "2")));
    expect<proposed>(primary.hears(200, put("c", "200")));
    REQUIRE(primary.confirms_all().size() == 3);
    expect<known>(primary.hears(5, put("a", "5")));
    expect<proposed>(primary.hears(3, put("d", "3")));
    CHECK(find_session(primary.desk().log_beyond_base().whole_view(), primary.session)->last ==
          sequence{200});
}

TEST_CASE("C.1 a full window is BUSY until the client acks") {
    limits bounds;
    bounds.window = 4;
    little_primary primary{bounds};
    for (const std::uint64_t seq : {1U, 2U, 3U, 7U}) {
        expect<proposed>(primary.hears(seq, put("a", "x")));
    }
    CHECK(primary.confirms_all().size() == 4);
    CHECK(code_of(primary.hears(8, put("a", "y"))) == result_code::busy);
    // A known one is still answered.
    expect<known>(primary.hears(7, put("a", "x")));
    // The same number may come again, and what it acks makes room for itself.
    expect<proposed>(primary.hears(8, put("a", "y"), 3));
    CHECK(find_session(primary.desk().log_beyond_base().whole_view(), primary.session)->results ==
          3);
    expect<proposed>(primary.hears(9, put("a", "y"), 3));
    CHECK(code_of(primary.hears(10, put("a", "y"), 3)) == result_code::busy);
}

TEST_CASE("C.1 acks into a hole count what is there") {
    limits bounds;
    bounds.window = 2;
    little_primary primary{bounds};
    primary.hears(10, put("a", "x"));
    primary.hears(20, put("a", "x"));
    CHECK(code_of(primary.hears(30, put("a", "x"), 5)) == result_code::busy);
    expect<proposed>(primary.hears(30, put("a", "x"), 15));
    expect<probe_first>(primary.hears(10, put("a", "x")));
}

TEST_CASE("B.13 a session has so many operations in flight, and so many bytes") {
    limits bounds;
    bounds.operations_in_flight = 2;
    little_primary primary{bounds};
    primary.hears(1, put("a", "1"));
    primary.hears(2, put("a", "2"));
    CHECK(code_of(primary.hears(3, put("a", "3"))) == result_code::busy);
    expect<waits>(primary.hears(2, put("a", "2")));
    static_cast<void>(primary.confirms_all());
    expect<proposed>(primary.hears(3, put("a", "3")));

    bounds.operations_in_flight = 64;
    bounds.bytes_in_flight = 100;
    little_primary narrow{bounds};
    narrow.hears(1, put("a", std::string(60, 'x')));
    CHECK(code_of(narrow.hears(2, put("a", std::string(60, 'x')))) == result_code::busy);
    static_cast<void>(narrow.confirms_all());
    expect<proposed>(narrow.hears(2, put("a", std::string(60, 'x'))));
}

TEST_CASE("B.13 all sessions together have so many entries pending, and so many bytes") {
    limits bounds;
    bounds.pending_entries = 2;
    little_primary primary{bounds};
    const session_id other = primary.has_session(connection_id{2}, 2);
    expect<proposed>(primary.hears(1, put("a", "1")));
    expect<proposed>(primary.says(connection_id{2}, other, 1, put("b", "1")));
    const log_index before = primary.last();
    CHECK(code_of(primary.hears(2, put("a", "2"))) == result_code::busy);
    CHECK(code_of(primary.says(connection_id{2}, other, 2, put("b", "2"))) == result_code::busy);
    CHECK(code_of(primary.opens(
              connection_id{3},
              {.request = request_id{1}, .device = {}, .nonce = test::id_number<open_nonce>(9)})) ==
          result_code::busy);
    CHECK(primary.last() == before);
    expect<waits>(primary.hears(1, put("a", "1")));
    // Committed is not confirmed: nobody was told.
    primary.commits_all();
    CHECK(code_of(primary.hears(2, put("a", "2"))) == result_code::busy);
    static_cast<void>(primary.confirms_all());
    expect<proposed>(primary.hears(2, put("a", "2")));

    bounds.pending_entries = 100;
    bounds.pending_bytes = 1000;
    little_primary narrow{bounds};
    expect<proposed>(narrow.hears(1, put("a", std::string(500, 'x'))));
    CHECK(code_of(narrow.hears(2, put("a", std::string(500, 'x')))) == result_code::busy);
    static_cast<void>(narrow.confirms_all());
    expect<proposed>(narrow.hears(2, put("a", std::string(500, 'x'))));
}

TEST_CASE("B.13 whoever writes faster than base takes it waits") {
    limits bounds;
    bounds.entries_beyond_base = 2;
    little_primary primary{bounds};
    primary.base_waits();
    for (std::uint64_t seq = 1; seq <= 2; ++seq) {
        expect<proposed>(primary.hears(seq, put("a", "1")));
        static_cast<void>(primary.confirms_all());
    }
    CHECK(code_of(primary.hears(3, put("a", "2"))) == result_code::busy);
    primary.base_goes_on();
    expect<proposed>(primary.hears(3, put("a", "2")));

    bounds.entries_beyond_base = 100;
    bounds.bytes_beyond_base = 1500;
    little_primary narrow{bounds};
    narrow.base_waits();
    expect<proposed>(narrow.hears(1, put("a", std::string(800, 'x'))));
    static_cast<void>(narrow.confirms_all());
    CHECK(code_of(narrow.hears(2, put("a", std::string(800, 'x')))) == result_code::busy);
    narrow.base_goes_on();
    expect<proposed>(narrow.hears(2, put("a", std::string(800, 'x'))));
}

namespace {

/// Writes a row, and says more than a table of results can keep.
class talker final : public service {
  public:
    [[nodiscard]] outcome execute(const context&,
                                  transaction& rows,
                                  base::byte_view body) const override {
        rows.put("talk/1", {});
        if (body.empty()) {
            return refused{.code = result_code::conflict, .body = too_much};
        }
        return done{too_much};
    }
    [[nodiscard]] bool accepts(const change&) const override { return true; }
    [[nodiscard]] outcome query(const table_view&, base::byte_view) const override {
        return done{too_much};
    }

  private:
    base::byte_vector too_much = base::byte_vector(limits{}.largest_result + 1);
};

} // namespace

TEST_CASE("C.1 a service that says more than a result may hold did nothing") {
    memory_key_space rows;
    const talker service;
    desk one{rows, service};
    REQUIRE_FALSE(one.entered_office(log_index{1}, {}));
    turn now{.next = {.index = log_index{1}, .time = {}}, .confirmed_upto = {}};
    const auto opened = expect<proposed>(one.open_session(now, connection_id{1}, {}));
    REQUIRE(std::holds_alternative<attached>(one.attach(connection_id{1}, opened.session)));
    const base::byte_vector talks = bytes_of("x");
    for (const base::byte_view body : {base::byte_view{talks}, base::byte_view{}}) {
        now.next.index = now.next.index.next();
        const sequence seq{now.next.index.value()};
        expect<proposed>(one.operation(now, connection_id{1},
                                       {.session = opened.session, .seq = seq, .body = body}));
        const auto kept = find_result(one.log_beyond_base().whole_view(), opened.session, seq);
        REQUIRE(kept);
        CHECK(kept->reply.code == (body.empty() ? result_code::conflict : result_code::quota));
        CHECK(kept->reply.body.empty());
    }
    CHECK_FALSE(one.log_beyond_base().whole_view().get("talk/1"));
}

TEST_CASE("B.5.2 an operation of an unknown session is SESSION_EXPIRED after a probe") {
    little_primary primary;
    const auto nobody = test::id_number<session_id>(77);
    CHECK(std::holds_alternative<probe_first>(primary.desk().attach(connection_id{5}, nobody)));
    CHECK(primary.desk().why_not(nobody, std::nullopt).code == result_code::session_expired);
    CHECK(primary.desk().why_not(nobody, sequence{1}).code == result_code::session_expired);
}

} // namespace almenara::state
