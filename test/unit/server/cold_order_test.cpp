#include "server/reception.hpp"
#include "unit/server/reception_stand.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

/// In which order requests are taken when some of them wait, and for how long they do.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using state::result_code;
using test::reception_stand;
namespace kv = test::kv;

constexpr connection_id ann{1};
constexpr connection_id bob{2};

/// In office, with a session of Ann's, and base is cold.
struct cold_primary : reception_stand {
    explicit cold_primary(const reception_limits& limits = {}) : reception_stand(limits) {
        takes_office(3);
        session = has_session(ann);
        all_is_cold = true;
    }
    void attaches_slowly(connection_id over) {
        says(over, wire::attach{.request = request_id{901}, .session = session});
    }
    void puts_slowly(connection_id over, std::uint64_t seq) { says(over, puts(session, seq)); }
    result_code code(connection_id over) { return hears<wire::operation_result>(over).code; }

    session_id session;
};

} // namespace

TEST_CASE("C.1: of two that attach the later one speaks, whichever row comes first") {
    cold_primary server;
    server.attaches_slowly(bob);
    server.all_is_cold = false;
    server.attaches_slowly(connection_id{3});
    CHECK(server.hears_nothing(connection_id{3}));
    server.fetches_return();
    server.waits(1ms);
    static_cast<void>(server.hears<wire::attached>(bob));
    static_cast<void>(server.hears<wire::attached>(connection_id{3}));
    CHECK(server.closed() == std::vector{ann, bob});
    server.puts_slowly(connection_id{3}, 1);
    server.confirms_all();
    CHECK(server.code(connection_id{3}) == result_code::ok);
}

TEST_CASE("C.1: an operation behind an ATTACH that waits for rows is that connection's") {
    cold_primary server;
    server.attaches_slowly(bob);
    server.puts_slowly(bob, 1);
    server.fetches_return();
    server.waits(1ms);
    server.fetches_return();
    server.confirms_all();
    static_cast<void>(server.hears<wire::attached>(bob));
    CHECK(server.code(bob) == result_code::ok);
    CHECK(server.closed() == std::vector{ann});
}

TEST_CASE("C.1: who has requests in the line of one session does not attach to another one") {
    cold_primary server;
    server.puts_slowly(ann, 1);
    server.says(ann,
                wire::attach{.request = request_id{5}, .session = test::id_number<session_id>(9)});
    CHECK(server.hears<wire::error_reply>(ann).code == result_code::busy);
    server.fetches_return();
    server.confirms_all();
    CHECK(server.code(ann) == result_code::ok);
}

TEST_CASE("C.3: what is held for an office is served before what came later") {
    reception_stand old_primary;
    old_primary.takes_office(3);
    const session_id session = old_primary.has_session(ann);
    for (std::uint64_t seq = 1; seq <= 9; ++seq) {
        old_primary.says(ann, old_primary.puts(session, seq));
    }
    old_primary.confirms_all();

    reception_stand server{{.served_at_once = 1, .looked_at_once = {.entries = 2}}};
    server.copies(old_primary, log_index{1});
    server.takes_tail(old_primary);
    server.begins_office(4);
    REQUIRE(server.hall().is_entering());
    server.says(bob, wire::attach{.request = request_id{5}, .session = session});
    server.says(bob, server.puts(session, 10));
    while (server.hall().is_entering()) {
        REQUIRE_FALSE(server.enters_further());
    }
    // In office, and what is held was not looked at yet.
    server.says(bob, server.puts(session, 11));
    server.waits(1ms);
    static_cast<void>(server.hears<wire::attached>(bob));
    const log_index before = server.last();
    server.waits(1ms);
    CHECK(server.last() == before.next());
    server.waits(1ms);
    CHECK(server.last() == before.next().next());
    server.confirms_all();
    CHECK(server.hears<wire::operation_result>(bob).seq == sequence{10});
    CHECK(server.hears<wire::operation_result>(bob).seq == sequence{11});
    CHECK(server.closed().empty());
}

TEST_CASE("B.10.6: what is held for a slot is served before what came later") {
    reception_stand server;
    server.takes_office(3);
    const session_id session = server.has_session(ann);
    server.drains = true;
    server.says(ann, server.puts(session, 1));
    server.drains = false;
    server.says(ann, server.puts(session, 2));
    server.waits(1ms);
    server.confirms_all();
    CHECK(server.hears<wire::operation_result>(ann).seq == sequence{1});
    CHECK(server.hears<wire::operation_result>(ann).seq == sequence{2});
}

TEST_CASE("C.0: who waits too long for rows is told so, and the next of its session may try") {
    cold_primary server{{.rows_hold = 5s}};
    server.puts_slowly(ann, 1);
    server.says(bob, server.gets("k", wire::read_mode::stale));
    server.waits(1s);
    server.puts_slowly(ann, 2);
    server.waits(3999ms);
    CHECK(server.hears_nothing(ann));
    REQUIRE(server.hall().wake());
    server.all_is_cold = false;
    server.waits(1ms);
    // Nobody has looked yet whether it is a repeat of one that was done.
    CHECK(server.code(ann) == result_code::retry_elsewhere);
    CHECK(server.hears<wire::read_result>(bob).code == result_code::busy);
    server.waits(1ms);
    server.confirms_all();
    CHECK(server.hears<wire::operation_result>(ann).seq == sequence{2});
    server.fetches_return(); // For nobody.
    CHECK(server.hall().waiting_for_rows().size() == 0);
    CHECK(server.hall().waiting_for_rows().bytes() == 0);
}

TEST_CASE("C.0: BUSY is said of an operation that was found to be a new one") {
    cold_primary server{{.rows_hold = 5s}};
    wire::operation what = server.puts(server.session, 1);
    what.body = test::kv_body(kv::add{.key = "n", .delta = 1});
    server.says(ann, what);
    server.fetch_returns(); // Its session. Now its key is wanted, so it is new.
    REQUIRE(server.fetches() == 1);
    server.waits(5s);
    CHECK(server.code(ann) == result_code::busy);
}

TEST_CASE("C.0: an operation waits for rows as long as its client does") {
    cold_primary server{{.rows_hold = 5s}};
    wire::operation what = server.puts(server.session, 1);
    what.deadline = 200ms;
    server.says(ann, what);
    server.waits(199ms);
    CHECK(server.hears_nothing(ann));
    server.waits(1ms);
    CHECK(server.code(ann) == result_code::retry_elsewhere);
}

TEST_CASE("style 11: a connection that ends takes its own requests along, and no others") {
    cold_queue queue{{.of_a_session = 100}};
    const auto waits = [&](std::uint64_t connection, std::uint8_t session) {
        attempt who{.connection = connection_id{connection},
                    .request = reception_stand::puts(test::id_number<session_id>(session), 1)};
        state::needs_inputs missing;
        missing.wanted.add_row("a");
        return queue.has_line(*line_of(who)) ? queue.wait_in_line(who) : queue.wait(who, missing);
    };
    for (std::uint64_t connection = 1; connection <= 100; ++connection) {
        REQUIRE(waits(connection, 1));
        REQUIRE(waits(connection, static_cast<std::uint8_t>(1 + connection)));
    }
    for (std::uint64_t connection = 1; connection < 100; ++connection) {
        queue.connection_ended(connection_id{connection});
    }
    CHECK(queue.size() == 2);
    const auto next = queue.take_ready(); // It was the last in the line of the first session.
    REQUIRE(next);
    CHECK(next->connection == connection_id{100});
    const auto order = queue.next_order();
    REQUIRE(order);
    CHECK_FALSE(queue.next_order());
    queue.connection_ended(connection_id{100});
    queue.arrived(order->ticket, {});
    CHECK(queue.size() == 0);
    CHECK(queue.bytes() == 0);
    CHECK_FALSE(queue.has_ready());
}

} // namespace almenara::server
