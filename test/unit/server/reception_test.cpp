#include "server/reception.hpp"

#include "unit/server/reception_stand.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

/// Operations, reads and who is primary; sessions stand in reception_sessions_test.cpp.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using kind = sighting::kind;
using state::result_code;
using test::reception_stand;

constexpr connection_id ann{1};
constexpr connection_id bob{2};

/// In office, with a session of Ann's.
struct primary_stand : reception_stand {
    explicit primary_stand(const reception_limits& limits = {}, const state::limits& bounds = {})
        : reception_stand(limits, bounds) {
        takes_office(3);
        session = has_session(ann);
    }

    session_id session;
};

wire::whois whois_for(std::chrono::milliseconds wait = 1000ms) {
    return {.request = request_id{8}, .wait = wait};
}

} // namespace

// -- Operations -----------------------------------------------------------------------------------

TEST_CASE("B.5.6: a result leaves when it is confirmed, and says on how many it is durable") {
    primary_stand server;
    server.says(ann, server.puts(server.session, 1));
    CHECK(server.hears_nothing(ann));
    server.commits_all();
    CHECK(server.hears_nothing(ann));
    server.confirms_all();
    const leaving told = server.hears_any(ann);
    const auto& result = std::get<wire::operation_result>(told.what);
    CHECK(result.request == request_id{1});
    CHECK(result.seq == sequence{1});
    CHECK(result.code == result_code::ok);
    CHECK(result.index == server.last());
    CHECK(result.epoch == epoch{3});
    CHECK(result.durable_on == 2);
    CHECK(result.voters == 3);
    CHECK(told.rests_on == server.last());
    CHECK(told.session == server.session);
}

TEST_CASE("C.1: a repeat finds the first result, also in another term of office") {
    primary_stand server;
    server.says(ann, server.puts(server.session, 1));
    wire::operation repeat = server.puts(server.session, 1);
    repeat.request = request_id{21};
    server.says(ann, repeat); // on its way
    CHECK(server.saw_times(kind::repeat_waits) == 1);
    server.confirms_all();
    const auto first = server.hears<wire::operation_result>(ann);
    const auto second = server.hears<wire::operation_result>(ann);
    CHECK(second.request == request_id{21});
    CHECK(second.index == first.index);

    server.leaves_office();
    server.takes_office(4);
    server.attaches(bob, server.session);
    server.says(bob, server.puts(server.session, 1));
    CHECK(server.saw_times(kind::repeat_found) == 1);
    const auto again = server.hears<wire::operation_result>(bob);
    CHECK(again.index == first.index);
    CHECK(again.epoch == epoch{4});
    CHECK(again.durable_on == 2);
    CHECK(server.saw_times(kind::operation_taken) == 3);
}

TEST_CASE("C.0: an operation is answered by its result also if nothing was recorded") {
    primary_stand server{{}, {.largest_body = 100}};
    wire::operation large = server.puts(server.session, 1, std::string(200, 'k'));
    server.says(ann, large);
    const auto told = server.hears<wire::operation_result>(ann);
    CHECK(told.code == result_code::too_large);
    CHECK(told.seq == sequence{1});
    CHECK(told.index == log_index{});
    CHECK(told.epoch == epoch{3});
}

TEST_CASE("B.5.2: STALE is said from the committed state, behind a probe round") {
    primary_stand server;
    server.says(ann, server.puts(server.session, 1));
    wire::operation second = server.puts(server.session, 2);
    second.first_unacked = sequence{2};
    server.says(ann, second);
    server.confirms_all();
    static_cast<void>(server.hears<wire::operation_result>(ann));
    static_cast<void>(server.hears<wire::operation_result>(ann));

    server.says(ann, server.puts(server.session, 1));
    CHECK(server.hears_nothing(ann));
    server.probes_return();
    CHECK(server.hears<wire::operation_result>(ann).code == result_code::stale);
}

TEST_CASE("C.1: an operation over a connection that does not speak for the session closes it") {
    primary_stand server;
    server.says(bob, server.puts(server.session, 1));
    CHECK(server.hears_nothing(bob));
    CHECK(server.closed() == std::vector{bob});
}

TEST_CASE("C.0: a backup sends operations and reads to the primary it knows") {
    reception_stand server;
    server.hears_of_primary(server_id{2}, 5);
    server.says(ann, server.puts({}, 1));
    const auto away = server.hears<wire::redirect>(ann);
    CHECK(away.request == request_id{1});
    CHECK(away.epoch == epoch{5});
    REQUIRE(away.primary);
    CHECK(away.primary->id == server_id{2});
    CHECK(away.primary->addresses == std::vector<std::string>{"127.0.0.1:7402"});
    server.says(ann, server.gets());
    CHECK(server.hears<wire::redirect>(ann).primary);
    CHECK(server.probes() == 0);
}

TEST_CASE("C.0: a backup whose client has seen a higher epoch asks before it answers") {
    reception_stand server;
    server.hears_of_primary(server_id{2}, 5);
    wire::operation what = server.puts({}, 1);
    what.epoch_seen = epoch{6};
    server.says(ann, what);
    CHECK(server.hears_nothing(ann));
    REQUIRE(server.probes() == 1);
    CHECK(server.newest_claim() == epoch{6});
    SECTION("and answers when it knows") {
        server.waits(50ms);
        server.hears_of_primary(server_id{3}, 6);
        const auto away = server.hears<wire::redirect>(ann);
        CHECK(away.epoch == epoch{6});
        CHECK(away.primary->id == server_id{3});
    }
    SECTION("or when nobody knows more") {
        server.waits(99ms);
        CHECK(server.hears_nothing(ann));
        server.waits(1ms);
        CHECK(server.hears<wire::redirect>(ann).epoch == epoch{5});
    }
    SECTION("who has seen the same epoch is answered at once") {
        what.epoch_seen = epoch{5};
        server.says(bob, what);
        CHECK(server.hears<wire::redirect>(bob).primary);
        CHECK(server.probes() == 1);
    }
}

TEST_CASE("C.0: without a primary a redirect names none") {
    reception_stand server;
    server.says(ann, server.puts({}, 1));
    const auto away = server.hears<wire::redirect>(ann);
    CHECK_FALSE(away.primary);
    CHECK(away.retry_after == 0ms); // A WHOIS waits here until somebody rules: it may come at once.
}

TEST_CASE("B.5.2: who waits is told RETRY_ELSEWHERE when the office ends") {
    primary_stand server;
    const log_index before = server.last();
    server.says(ann, server.puts(server.session, 1));
    server.says(ann, server.gets());
    server.says(bob, wire::login{.request = request_id{4},
                                 .user = "bob",
                                 .device_name = {},
                                 .nonce = test::id_number<open_nonce>(9)});
    server.leaves_office();
    const auto result = server.hears<wire::operation_result>(ann);
    CHECK(result.code == result_code::retry_elsewhere);
    CHECK(result.index == log_index{});
    CHECK(server.hears<wire::read_result>(ann).code == result_code::retry_elsewhere);
    const auto refusal = server.hears<wire::error_reply>(bob);
    CHECK(refusal.code == result_code::retry_elsewhere);
    CHECK(refusal.request == request_id{4});
    CHECK_FALSE(refusal.text.empty());
    CHECK(server.last() == before);
    CHECK(server.saw_times(kind::waiters_sent_away) == 1);

    server.probes_return(); // Too late: nobody hears of it twice.
    CHECK(server.hears_nothing(ann));
}

// -- Reads ----------------------------------------------------------------------------------------

TEST_CASE("B.9: a quorum read is answered when its probe round came back") {
    const auto mode = GENERATE(wire::read_mode::quorum, wire::read_mode::lease);
    primary_stand server;
    server.says(ann, server.puts(server.session, 1));
    server.confirms_all();
    static_cast<void>(server.hears_any(ann));

    server.says(bob, server.gets("k", mode));
    CHECK(server.hears_nothing(bob));
    CHECK(server.newest_claim() == epoch{});
    server.probes_return();
    const leaving told = server.hears_any(bob);
    const auto& answer = std::get<wire::read_result>(told.what);
    CHECK(answer.request == request_id{700});
    CHECK(answer.code == result_code::ok);
    CHECK(answer.index == server.last());
    CHECK(answer.epoch == epoch{3});
    CHECK_FALSE(answer.age);
    CHECK(told.rests_on == server.last());
    CHECK(server.saw_times(kind::read_served) == 1);
}

TEST_CASE("B.9: a read that finds no room for a probe is BUSY") {
    primary_stand server;
    server.says(ann, server.gets());
    server.hall().refused_read(server.newest_probe());
    CHECK(server.hears<wire::read_result>(ann).code == result_code::busy);
    server.probes_return();
    CHECK(server.hears_nothing(ann));
}

TEST_CASE("style 11: so many reads wait for probes and no more") {
    primary_stand server{{.probing = {.requests = 2, .bytes = 1U << 20U}}};
    server.says(ann, server.gets());
    server.says(ann, server.gets());
    server.says(ann, server.gets());
    CHECK(server.hears<wire::read_result>(ann).code == result_code::busy);
    CHECK(server.probes() == 2);
    server.probes_return();
    CHECK(server.hears<wire::read_result>(ann).code == result_code::not_found);
    server.says(ann, server.gets());
    CHECK(server.probes() == 1);
}

TEST_CASE("style 11: so many bytes of reads wait for probes and no more") {
    primary_stand server{{.probing = {.requests = 100, .bytes = 1'000}}};
    server.says(ann, server.gets(std::string(500, 'k')));
    server.says(ann, server.gets(std::string(500, 'k')));
    CHECK(server.probes() == 1);
    CHECK(server.hears<wire::read_result>(ann).code == result_code::busy);
    server.probes_return();
    server.says(ann, server.gets(std::string(500, 'k')));
    CHECK(server.probes() == 1);
}

TEST_CASE("B.9: a stale read is answered by a backup, with index and age") {
    primary_stand primary;
    primary.says(ann, primary.puts(primary.session, 1));
    primary.confirms_all();

    reception_stand backup;
    backup.copies(primary, primary.last());
    backup.hears_of_primary(server_id{2}, 3);
    backup.waits(120ms);
    backup.says(bob, backup.gets("k", wire::read_mode::stale));
    const auto told = backup.hears<wire::read_result>(bob);
    CHECK(told.code == result_code::ok);
    CHECK(told.index == primary.last());
    REQUIRE(told.age);
    CHECK(*told.age == 120ms);
    CHECK(backup.probes() == 0);
}

TEST_CASE("B.9: a stale read from the primary has no age") {
    primary_stand server;
    server.waits(5s);
    server.says(ann, server.gets("k", wire::read_mode::stale));
    CHECK(server.hears<wire::read_result>(ann).age == 0ms);
}

TEST_CASE("B.9: a stale read never goes behind what its client has seen") {
    primary_stand primary;
    primary.says(ann, primary.puts(primary.session, 1));
    primary.confirms_all();
    reception_stand backup;
    backup.copies(primary, log_index{primary.last().value() - 1});
    wire::read question = backup.gets("k", wire::read_mode::stale);
    question.last_seen = primary.last();
    backup.says(bob, question);
    backup.waits(10ms);
    CHECK(backup.hears_nothing(bob));

    SECTION("it waits until this server has caught up") {
        CHECK_FALSE(backup.wants_a_turn());
        backup.copies(primary, primary.last());
        CHECK(backup.wants_a_turn());
        backup.hall().tick();
        CHECK(backup.hears<wire::read_result>(bob).index == primary.last());
    }
    SECTION("not for ever: somebody else may know") {
        backup.hears_of_primary(server_id{2}, 3);
        backup.waits(1s);
        const auto away = backup.hears<wire::redirect>(bob);
        CHECK(away.request == request_id{700});
        REQUIRE(away.primary);
    }
}

TEST_CASE("a read of a kind that only newer servers know is refused") {
    primary_stand server;
    server.says(ann, server.gets("k", static_cast<wire::read_mode>(9)));
    CHECK(server.hears<wire::read_result>(ann).code == result_code::unsupported);
    CHECK(server.probes() == 0);
}

// -- A client claims an epoch ---------------------------------------------------------------------

TEST_CASE("B.5.1: a claim to have seen a higher epoch waits for a probe round") {
    primary_stand server;
    wire::operation what = server.puts(server.session, 1);
    what.epoch_seen = epoch{99};
    const log_index before = server.last();
    server.says(ann, what);
    CHECK(server.last() == before);
    CHECK(server.newest_claim() == epoch{99});

    SECTION("a majority agrees with this server: it is served, with the epoch that is right") {
        server.probes_return();
        CHECK(server.last() == before); // Nothing is proposed in the middle of an output.
        REQUIRE(server.hall().wake());
        server.hall().tick();
        CHECK(server.last() > before);
        server.confirms_all();
        const auto told = server.hears<wire::operation_result>(ann);
        CHECK(told.code == result_code::ok);
        CHECK(told.epoch == epoch{3});
    }
    SECTION("there was a higher epoch") {
        server.leaves_office();
        CHECK(server.hears<wire::operation_result>(ann).code == result_code::retry_elsewhere);
        server.hall().tick();
        CHECK(server.hears_nothing(ann));
    }
    SECTION("there was one, and the probe had come back before") {
        server.probes_return();
        server.leaves_office();
        server.hall().tick();
        CHECK(server.hears<wire::operation_result>(ann).code == result_code::retry_elsewhere);
        CHECK(server.hears_nothing(ann));
    }
}

TEST_CASE("B.5.1: who claims the epoch that is here, or an older one, is served at once") {
    primary_stand server;
    wire::operation what = server.puts(server.session, 1);
    what.epoch_seen = epoch{3};
    const log_index before = server.last();
    server.says(ann, what);
    CHECK(server.last() > before);
    CHECK(server.probes() == 0);
}

// -- Hand-over ------------------------------------------------------------------------------------

TEST_CASE("B.10: while the office is handed over an operation is held") {
    primary_stand server;
    server.drains = true;
    const log_index before = server.last();
    server.says(ann, server.puts(server.session, 1));
    CHECK(server.hears_nothing(ann));
    CHECK(server.saw_times(kind::held_for_handover) == 1);

    SECTION("and sent to the new primary as soon as that is known") {
        server.leaves_office();
        CHECK(server.hears_nothing(ann));
        server.hears_of_primary(server_id{2}, 4);
        const auto away = server.hears<wire::redirect>(ann);
        CHECK(away.request == request_id{1});
        CHECK(away.epoch == epoch{4});
        REQUIRE(away.primary);
        CHECK(away.primary->id == server_id{2});
    }
    SECTION("for 200 ms at most") {
        server.waits(199ms);
        CHECK(server.hears_nothing(ann));
        server.waits(1ms);
        const auto away = server.hears<wire::redirect>(ann);
        CHECK_FALSE(away.primary);
        CHECK(away.retry_after == 100ms); // Whoever is asked now names this server again.
    }
    SECTION("and served if nobody took over") {
        server.waits(50ms);
        server.drains = false;
        server.waits(1ms);
        CHECK(server.last() == before.next());
        server.confirms_all();
        CHECK(server.hears<wire::operation_result>(ann).code == result_code::ok);
    }
    CHECK(server.hears_nothing(ann));
    server.waits(10s);
    CHECK(server.hears_nothing(ann));
}

TEST_CASE("B.10: an operation is not held longer than its client waits") {
    primary_stand server;
    server.drains = true;
    wire::operation what = server.puts(server.session, 1);
    what.deadline = 30ms;
    server.says(ann, what);
    server.waits(30ms);
    static_cast<void>(server.hears<wire::redirect>(ann));
}

TEST_CASE("B.10: what is held is bounded") {
    primary_stand server{{.held = {.requests = 1, .bytes = 1U << 20U}}};
    server.drains = true;
    server.says(ann, server.puts(server.session, 1));
    server.says(ann, server.puts(server.session, 2));
    const auto told = server.hears<wire::operation_result>(ann);
    CHECK(told.seq == sequence{2});
    CHECK(told.code == result_code::retry_elsewhere);
    CHECK(told.index == log_index{});
}

TEST_CASE("B.10: a held operation whose client is gone is forgotten") {
    primary_stand server;
    server.drains = true;
    server.says(ann, server.puts(server.session, 1));
    server.hall().connection_ended(ann);
    server.drains = false;
    const log_index before = server.last();
    server.waits(300ms);
    CHECK(server.last() == before);
    CHECK(server.hears_nothing(ann));
}

// -- Who is primary -------------------------------------------------------------------------------

TEST_CASE("C.3: WHOIS is answered at once where a primary is known") {
    primary_stand server;
    server.says(bob, whois_for());
    const auto told = server.hears<wire::primary_is>(bob);
    CHECK(told.request == request_id{8});
    CHECK(told.epoch == epoch{3});
    REQUIRE(told.primary);
    CHECK(told.primary->id == test::own_id);
}

TEST_CASE("C.3: WHOIS is held until a primary is known") {
    reception_stand server;
    server.says(ann, whois_for());
    server.says(bob, whois_for());
    CHECK(server.hears_nothing(ann));
    CHECK(server.saw_times(kind::whois_held) == 2);

    SECTION("another one") {
        server.hears_of_primary(server_id{2}, 6);
        CHECK(server.hears<wire::primary_is>(ann).primary->id == server_id{2});
    }
    SECTION("this one") {
        server.takes_office(6);
        CHECK(server.hears<wire::primary_is>(ann).primary->id == test::own_id);
    }
    const auto told = server.hears<wire::primary_is>(bob);
    CHECK(told.epoch == epoch{6});
    CHECK(told.request == request_id{8});
    server.waits(5s);
    CHECK(server.hears_nothing(bob));
}

TEST_CASE("C.3: WHOIS is held for as long as its client wishes, and a second at most") {
    reception_stand server;
    server.says(ann, whois_for(1h));
    server.says(bob, whois_for(300ms));
    REQUIRE(server.hall().wake());
    server.waits(299ms);
    CHECK(server.hears_nothing(bob));
    server.waits(1ms);
    CHECK_FALSE(server.hears<wire::primary_is>(bob).primary);
    server.waits(699ms);
    CHECK(server.hears_nothing(ann));
    server.waits(1ms);
    CHECK_FALSE(server.hears<wire::primary_is>(ann).primary);
    CHECK_FALSE(server.hall().wake());
}

TEST_CASE("C.3: WHOIS that cannot be held is answered") {
    const bool wants_no_wait = GENERATE(false, true);
    reception_stand server{{.held = {.requests = 1, .bytes = 1U << 20U}}};
    server.says(ann, whois_for());
    server.says(bob, whois_for(wants_no_wait ? -5ms : 1000ms));
    CHECK_FALSE(server.hears<wire::primary_is>(bob).primary);
    CHECK(server.hears_nothing(ann));
}

} // namespace almenara::server
