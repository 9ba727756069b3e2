#include "server/reception.hpp"
#include "unit/server/reception_stand.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// Requests whose rows are not in memory.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using kind = sighting::kind;
using state::result_code;
using test::reception_stand;
namespace kv = test::kv;

constexpr connection_id ann{1};
constexpr connection_id bob{2};

/// In office, with a session of Ann's and one of Bob's. All of that is in base, and base is cold.
struct cold_primary : reception_stand {
    explicit cold_primary(const reception_limits& limits = {}, const state::limits& bounds = {})
        : reception_stand(limits, bounds) {
        takes_office(3);
        anns = has_session(ann, 1);
        bobs = has_session(bob, 2);
        all_is_cold = true;
    }

    void adds(connection_id over, session_id session, std::uint64_t seq, std::int64_t delta) {
        says(over, adding(session, seq, delta));
    }
    [[nodiscard]] static wire::operation adding(session_id session,
                                                std::uint64_t seq,
                                                std::int64_t delta) {
        wire::operation what = puts(session, seq);
        what.body = test::kv_body(kv::add{.key = "n", .delta = delta});
        return what;
    }

    /// What came of the oldest operation that was not heard of yet.
    std::int64_t sum(connection_id over) {
        const auto told = hears<wire::operation_result>(over);
        CHECK(told.code == result_code::ok);
        return test::kv_message<kv::added>({.code = told.code, .body = told.body}).value;
    }

    result_code code(connection_id over) { return hears<wire::operation_result>(over).code; }

    session_id anns;
    session_id bobs;
};

} // namespace

TEST_CASE("architecture 2: an operation whose rows are cold is done once, when they are there") {
    cold_primary server;
    const log_index before = server.last();
    server.adds(ann, server.anns, 1, 5);
    CHECK(server.last() == before);
    CHECK(server.fetches() == 1);
    CHECK(server.saw_times(kind::operation_taken) == 0);
    server.fetches_return(); // The session, and then the key.
    CHECK(server.saw_times(kind::waits_for_rows) == 2);
    CHECK(server.saw_times(kind::operation_taken) == 1);
    CHECK(server.last() == before.next());
    CHECK(server.hears_nothing(ann));
    server.confirms_all();
    CHECK(server.sum(ann) == 5);
    CHECK(server.hall().waiting_for_rows().size() == 0);
    CHECK(server.hall().waiting_for_rows().bytes() == 0);
}

TEST_CASE("architecture 2: while one waits, requests of its session keep their order") {
    cold_primary server;
    server.adds(ann, server.anns, 1, 1);
    server.all_is_cold = false;
    server.adds(ann, server.anns, 2, 10);
    server.adds(ann, server.anns, 3, 100);
    server.says(ann, wire::session_close{.request = request_id{50}, .session = server.anns});
    CHECK(server.saw_times(kind::waits_in_line) == 3);
    // Another session does not wait.
    server.adds(bob, server.bobs, 1, 1000);
    server.confirms_all();
    CHECK(server.sum(bob) == 1000);
    CHECK(server.hears_nothing(ann));

    server.fetches_return();
    // It came behind operations that are not answered yet (C.1).
    CHECK(server.hears<wire::error_reply>(ann).code == result_code::busy);
    server.confirms_all();
    CHECK(server.sum(ann) == 1001);
    CHECK(server.sum(ann) == 1011);
    CHECK(server.sum(ann) == 1111);
    CHECK(server.hall().waiting_for_rows().size() == 0);
    // Nobody waits in line any more.
    server.adds(ann, server.anns, 4, 1);
    server.confirms_all();
    CHECK(server.sum(ann) == 1112);
}

TEST_CASE("architecture 2: a request that waits again is still the first of its session") {
    cold_primary server;
    server.adds(ann, server.anns, 1, 1);
    server.adds(ann, server.anns, 2, 10);
    server.fetch_returns(); // The session is there; the key is asked for now.
    CHECK(server.fetches() == 1);
    server.adds(ann, server.anns, 3, 100);
    server.fetches_return();
    server.confirms_all();
    CHECK(server.sum(ann) == 1);
    CHECK(server.sum(ann) == 11);
    CHECK(server.sum(ann) == 111);
}

TEST_CASE("architecture 2: rows may come in any order") {
    cold_primary server;
    server.adds(ann, server.anns, 1, 1);
    server.adds(bob, server.bobs, 1, 10);
    server.fetch_returns(1);
    server.fetch_returns(1);
    server.confirms_all();
    CHECK(server.sum(bob) == 10);
    server.fetches_return();
    server.confirms_all();
    CHECK(server.sum(ann) == 11);
}

TEST_CASE("architecture 2: a row that was read before it changed counts as it is now") {
    cold_primary server;
    server.adds(ann, server.anns, 1, 1);
    server.fetch_returns(); // The session. Now the key is wanted.
    server.reads_ahead();
    server.all_is_cold = false;
    server.adds(bob, server.bobs, 1, 10);
    server.confirms_all(); // And it is in base.
    CHECK(server.sum(bob) == 10);
    server.fetches_return();
    server.confirms_all();
    CHECK(server.sum(ann) == 11);
}

TEST_CASE("architecture 2: the same operation twice is done once, also if both wait") {
    cold_primary server;
    server.adds(ann, server.anns, 1, 1);
    wire::operation repeat = server.adding(server.anns, 1, 1);
    repeat.request = request_id{21};
    server.says(ann, repeat);
    server.fetches_return();
    CHECK(server.saw_times(kind::repeat_waits) == 1);
    server.confirms_all();
    CHECK(server.sum(ann) == 1);
    CHECK(server.sum(ann) == 1);
}

TEST_CASE("architecture 2: a read waits for rows behind its probe round") {
    cold_primary server;
    server.says(ann, server.gets("nothing"));
    server.probes_return();
    CHECK(server.hears_nothing(ann));
    CHECK(server.saw_times(kind::read_served) == 0);
    server.fetches_return();
    CHECK(server.saw_times(kind::read_served) == 1);
    const leaving told = server.hears_any(ann);
    CHECK(std::get<wire::read_result>(told.what).code == result_code::not_found);
    CHECK(told.rests_on == server.last());
}

TEST_CASE("architecture 2: who opens, attaches or leaves waits for the rows of the session") {
    cold_primary server;
    server.says(connection_id{3}, wire::login{.request = request_id{1},
                                              .user = "eve",
                                              .device_name = {},
                                              .nonce = test::id_number<open_nonce>(9)});
    CHECK(server.fetches() == 1);
    server.fetches_return();
    server.confirms_all();
    const auto opened = server.hears<wire::login_ok>(connection_id{3});
    CHECK(opened.user == "eve");
    REQUIRE(opened.session);

    server.says(connection_id{3},
                wire::attach{.request = request_id{2}, .session = *opened.session});
    CHECK(server.hears_nothing(connection_id{3}));
    server.fetches_return();
    CHECK(server.hears<wire::attached>(connection_id{3}).request == request_id{2});

    server.says(connection_id{3},
                wire::session_close{.request = request_id{3}, .session = *opened.session});
    CHECK(server.fetches() == 1);
    server.fetches_return();
    server.confirms_all();
    CHECK(server.hears<wire::session_closed>(connection_id{3}).session == *opened.session);
}

TEST_CASE("B.5.2: why there is no such operation may have to be read first") {
    cold_primary server;
    server.says(ann, server.puts(session_id{}, 1));
    CHECK(server.closed() == std::vector{ann}); // It speaks for no such session.
    server.says(bob, wire::attach{.request = request_id{4}, .session = session_id{}});
    server.fetches_return();
    server.probes_return();
    CHECK(server.hears_nothing(bob));
    server.fetches_return();
    CHECK(server.hears<wire::error_reply>(bob).code == result_code::session_expired);
}

TEST_CASE("C.1: sessions expire although their rows are cold, and one sweep waits at a time") {
    cold_primary server;
    server.hall().connection_ended(ann);
    server.hall().connection_ended(bob);
    server.waits(std::chrono::hours{24 * 40});
    CHECK(server.fetches() == 1);
    server.waits(2s);
    CHECK(server.fetches() == 1);
    const log_index before = server.last();
    server.fetches_return();
    CHECK(server.last() == before.next());
    server.confirms_all();
    CHECK(server.hall().waiting_for_rows().size() == 0);
    server.says(bob, wire::attach{.request = request_id{4}, .session = server.bobs});
    server.fetches_return();
    server.probes_return();
    server.fetches_return();
    CHECK(server.hears<wire::error_reply>(bob).code == result_code::session_expired);
}

TEST_CASE("B.5.2: whoever waits for rows when the office ends is sent elsewhere") {
    cold_primary server;
    server.adds(ann, server.anns, 1, 1);
    server.adds(ann, server.anns, 2, 1);
    server.says(bob, server.gets("k"));
    server.says(bob, server.gets("k", wire::read_mode::stale));
    server.probes_return();
    server.waits(2s); // A sweep waits too.
    CHECK(server.fetches() == 4);
    server.leaves_office();
    CHECK(server.code(ann) == result_code::retry_elsewhere);
    CHECK(server.code(ann) == result_code::retry_elsewhere);
    CHECK(server.hears<wire::read_result>(bob).code == result_code::retry_elsewhere);

    // What was on its way for them is nobody's. What any server may answer is answered.
    server.fetches_return();
    CHECK(server.hears_nothing(ann));
    CHECK(server.hears<wire::read_result>(bob).code == result_code::not_found);
    CHECK(server.hall().waiting_for_rows().size() == 0);
    CHECK(server.hall().waiting_for_rows().bytes() == 0);

    server.all_is_cold = false;
    server.takes_office(4);
    server.attaches(ann, server.anns);
    server.adds(ann, server.anns, 1, 7);
    server.confirms_all();
    CHECK(server.sum(ann) == 7);
}

TEST_CASE("architecture 2: a connection that ends lets go on who waits behind it") {
    cold_primary server;
    server.adds(ann, server.anns, 1, 1);
    server.adds(ann, server.anns, 2, 10);
    server.all_is_cold = false;
    // From another place.
    server.says(bob, wire::attach{.request = request_id{901}, .session = server.anns});
    server.adds(bob, server.anns, 3, 100);
    CHECK(server.saw_times(kind::waits_in_line) == 3);
    server.hall().connection_ended(ann);
    CHECK(server.wants_a_turn());
    server.waits(1ms);
    static_cast<void>(server.hears<wire::attached>(bob));
    server.confirms_all();
    CHECK(server.sum(bob) == 100);
    server.fetches_return();
    CHECK(server.hears_nothing(ann));
}

TEST_CASE("style 11: only so many wait for rows, and so much; others are sent away") {
    SECTION("requests") {
        cold_primary server{{.cold = {.requests = 1}}};
        server.adds(ann, server.anns, 1, 1);
        server.adds(bob, server.bobs, 1, 1);
        CHECK(server.code(bob) == result_code::retry_elsewhere);
        server.adds(ann, server.anns, 2, 1);
        CHECK(server.code(ann) == result_code::retry_elsewhere);
    }
    SECTION("bytes") {
        cold_primary server{{.cold = {.bytes = 500}}};
        server.adds(ann, server.anns, 1, 1);
        server.adds(bob, server.bobs, 1, 1);
        CHECK(server.code(bob) == result_code::retry_elsewhere);
    }
    SECTION("requests of a session") {
        cold_primary server{{.cold = {.of_a_session = 1}}};
        server.adds(ann, server.anns, 1, 1);
        server.adds(ann, server.anns, 2, 1);
        server.adds(ann, server.anns, 3, 1);
        CHECK(server.code(ann) == result_code::retry_elsewhere);
        CHECK(server.hall().waiting_for_rows().size() == 2);
    }
    SECTION("rounds of one request") {
        cold_primary server{{.cold = {.rounds = 1}}};
        server.adds(ann, server.anns, 1, 1);
        server.adds(ann, server.anns, 2, 1);
        server.fetches_return();
        CHECK(server.code(ann) == result_code::busy); // Its number was found to be new.
        // The session is known by now: the second one asks for its row, and once.
        CHECK(server.hall().waiting_for_rows().size() == 0);
        server.confirms_all();
        CHECK(server.sum(ann) == 1);
    }
}

TEST_CASE("style 11: only so much is fetched at a time") {
    cold_primary server{{.cold = {.fetches = 1}}};
    server.adds(ann, server.anns, 1, 1);
    server.adds(bob, server.bobs, 1, 1);
    CHECK(server.fetches() == 1);
    server.hall().connection_ended(ann);
    CHECK(server.fetches() == 1); // What is on its way is waited for.
    server.fetches_return();
    server.confirms_all();
    CHECK(server.sum(bob) == 1);
}

} // namespace almenara::server
