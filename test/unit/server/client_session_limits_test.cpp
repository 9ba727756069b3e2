#include "server/client_session.hpp"
#include "support/printing.hpp"
#include "unit/server/fake_client.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>

/// How long a session waits and how much it holds (F). Time is a number here.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using test::client_inside;
using test::fake_client;

constexpr session_limits limits{};
constexpr duration a_moment = 1ns;

base::byte_vector ping_with(std::size_t attachment) {
    base::byte_vector bytes;
    const base::byte_vector behind(attachment);
    wire::append_message<wire::client_messages>(wire::ping{request_id{1}}, bytes, {}, behind);
    return bytes;
}

/// The first bytes of a frame that will be this long.
base::byte_vector begin_of_frame(std::size_t size, std::size_t sent) {
    base::byte_vector bytes = ping_with(size - ping_with(0).size());
    bytes.resize(sent);
    return bytes;
}

void check_bye(fake_client& client, wire::bye_reason reason) {
    const auto told = client.hears_only<wire::bye>();
    CHECK(told.reason == reason);
    CHECK_FALSE(told.text.empty());
    CHECK(client.why_ended() == told.text);
    CHECK(client.is_told_to_go());
}

void check_next_deadline(fake_client& client, duration from_now) {
    CHECK(client.session().next_deadline() == client.now() + from_now);
}

/// Nothing happens until just before that time has gone by.
void check_patient(fake_client& client, duration length) {
    client.waits(length - a_moment);
    CHECK(client.is_read());
    CHECK(client.hears().empty());
    client.waits(a_moment);
}

} // namespace

TEST_CASE("F a connection that says nothing is closed when the time for a hello is over") {
    fake_client client;
    check_patient(client, limits.hello);
    check_bye(client, wire::bye_reason::silent);
    CHECK(client.why_ended() == "it said nothing");
}

TEST_CASE("F half a hello and then silence is closed when the time for a hello is over") {
    fake_client client;
    client.sends(base::byte_view{test::frame_of(wire::c_hello{})}.first(20));
    client.waits(limits.hello - 1s);
    client.sends(base::byte_view{test::frame_of(wire::c_hello{})}.subspan(20, 1));
    check_patient(client, 1s);
    check_bye(client, wire::bye_reason::silent);
    CHECK(client.why_ended() == "its hello did not come through in time");
}

TEST_CASE("003 when the door is crowded, those who say nothing have less time") {
    fake_client client;
    SECTION("from their arrival on") {
        client.waits(limits.hello_when_crowded / 2);
        client.session().hurry();
        check_patient(client, limits.hello_when_crowded / 2);
        check_bye(client, wire::bye_reason::silent);
    }
    SECTION("so that it may be over at once") {
        client.waits(limits.hello_when_crowded * 2);
        client.session().hurry();
        client.waits(duration::zero());
        check_bye(client, wire::bye_reason::silent);
    }
}

TEST_CASE("003 half a hello is hurried too, for it holds a place") {
    fake_client client;
    client.sends(base::byte_view{test::frame_of(wire::c_hello{})}.first(1));
    client.session().hurry();
    check_patient(client, limits.hello_when_crowded);
    check_bye(client, wire::bye_reason::silent);
}

TEST_CASE("003 who was never in has a shorter farewell") {
    fake_client client;
    client.waits(limits.hello);
    REQUIRE(client.is_told_to_go());
    check_next_deadline(client, limits.farewell_at_door);
}

TEST_CASE("S27 who says no more is answered and then let go") {
    client_inside client;
    client.says(wire::ping{request_id{9}});
    client.session().heard_all(client.now());
    client.turn_ends();
    CHECK(client.hears_only<wire::pong>().request == request_id{9});
    CHECK(client.is_told_to_go());
    CHECK(client.why_ended().empty());
    check_next_deadline(client, limits.farewell);
}

TEST_CASE("a client that asks for more than it reads is paused before the turn is over") {
    client_inside client;
    base::byte_vector many;
    while (many.size() < 2 * limits.write_queue_to_pause_at) {
        const auto one = test::frame_of(wire::status_request{});
        many.insert(many.end(), one.begin(), one.end());
    }
    client.sends_without_end_of_turn(many);
    CHECK(client.session().what_next() == client_session::next_step::pause);
}

TEST_CASE("C.0 a stranger at admin.sock is told why it is refused") {
    fake_client client{client_origin::local_stranger};
    client.says_hello();
    const auto told = client.hears_only<wire::reject>();
    CHECK(told.code == wire::reject_code::denied);
    CHECK(told.text.find("root") != std::string::npos);
    CHECK(client.host.asked.empty());
    CHECK(client.is_told_to_go());
}

TEST_CASE("bytes of another protocol are answered with what to use") {
    fake_client client;
    client.sends(base::as_bytes("GET / HTTP/1.1\r\n\r\n"));
    const auto told = client.hears_only<wire::bye>();
    CHECK(told.reason == wire::bye_reason::broke_rules);
    CHECK(told.text.find("use the program 'almenara'") != std::string::npos);
}

TEST_CASE("003 those inside are not hurried") {
    client_inside client;
    const instant before = client.session().next_deadline();
    client.session().hurry();
    CHECK(client.session().next_deadline() == before);
}

TEST_CASE("003 no time runs against a client that we keep waiting") {
    fake_client client;
    client.session().waits_for_place();
    CHECK(client.session().next_deadline() == instant::max());
    client.waits(24h);
    client.session().hurry();
    client.session().deadline(client.now());
    CHECK(client.is_read());

    // It is called: now its time for a hello begins.
    client.session().called(client.now());
    check_patient(client, limits.hello);
    check_bye(client, wire::bye_reason::silent);
}

TEST_CASE("003 a client that waited for its place and then says hello is welcome") {
    fake_client client;
    client.session().waits_for_place();
    client.waits(1h);
    client.session().called(client.now());
    client.says_hello();
    CHECK(client.hears_only<wire::welcome>().request == request_id{1});
}

TEST_CASE("F before the login a frame may be 16 KiB, and not a byte more") {
    client_inside client;
    client.sends(
        begin_of_frame(wire::largest_frame_before_login, wire::largest_frame_before_login));
    CHECK(client.hears_only<wire::pong>().request == request_id{1});

    client.sends(begin_of_frame(wire::largest_frame_before_login + 1, 4));
    check_bye(client, wire::bye_reason::broke_rules);
    CHECK(client.why_ended().find("16385 bytes are over the limit of 16384") != std::string::npos);
}

TEST_CASE("F the administrator on this machine may send 1 MiB, and not a byte more") {
    client_inside client{client_origin::local_administrator};
    client.sends(begin_of_frame(wire::largest_control_frame, wire::largest_control_frame));
    CHECK(client.hears_only<wire::pong>().request == request_id{1});

    client.sends(begin_of_frame(wire::largest_control_frame + 1, 4));
    check_bye(client, wire::bye_reason::broke_rules);
}

TEST_CASE("F a frame that stops half way is given up") {
    client_inside client;
    client.sends(begin_of_frame(100, 50));
    check_patient(client, limits.frame_grace);
    check_bye(client, wire::bye_reason::too_slow);
}

TEST_CASE("F a large frame has as much more time as it brings 1 KiB a second") {
    client_inside client;
    client.sends(begin_of_frame(16 * 1024, 5 * 1024));
    check_patient(client, limits.frame_grace + 5s);
    check_bye(client, wire::bye_reason::too_slow);
}

TEST_CASE("F a large frame on a slow line that keeps its pace comes through") {
    client_inside client{client_origin::local_administrator};
    const base::byte_vector whole = begin_of_frame(100 * 1024, 100 * 1024);
    base::byte_view rest = whole;
    while (!rest.empty()) {
        client.waits(1s);
        client.sends(rest.first(1024));
        rest = rest.subspan(1024);
    }
    CHECK(client.hears_only<wire::pong>().request == request_id{1});
}

TEST_CASE("F a frame of a byte now and then does not hold the connection for ever") {
    client_inside client{client_origin::local_administrator};
    const base::byte_vector whole = begin_of_frame(100 * 1024, 100 * 1024);
    duration taken{0};
    for (std::size_t at = 0; client.is_read() && taken < 1h; ++at) {
        client.sends({&whole[at], 1});
        client.waits(1s);
        taken += 1s;
    }
    check_bye(client, wire::bye_reason::too_slow);
    CHECK(taken <= limits.frame_grace + 2s);
}

TEST_CASE("F each frame has its own time") {
    client_inside client;
    const base::byte_vector whole = ping_with(0);
    // For ever half a frame behind, but each one comes through in time.
    client.sends(base::byte_view{whole}.first(10));
    for (int i = 0; i < 20; ++i) {
        client.waits(limits.frame_grace - 1s);
        client.sends(base::byte_view{whole}.subspan(10));
        client.sends(base::byte_view{whole}.first(10));
        CHECK(client.hears_only<wire::pong>().request == request_id{1});
    }
    check_patient(client, limits.frame_grace);
    check_bye(client, wire::bye_reason::too_slow);
}

TEST_CASE("F a silent client is asked whether it is there, and stays if it answers") {
    client_inside client;
    for (int i = 0; i < 10; ++i) {
        check_patient(client, limits.idle_before_ping);
        static_cast<void>(client.hears_only<wire::ping>());
        client.waits(limits.ping_answer - a_moment);
        client.says(wire::pong{});
    }
    CHECK(client.is_read());
}

TEST_CASE("F anything a client sends is an answer to our ping") {
    client_inside client;
    client.waits(limits.idle_before_ping);
    static_cast<void>(client.hears_only<wire::ping>());
    client.says(wire::ping{request_id{2}});
    static_cast<void>(client.hears_only<wire::pong>());
    check_patient(client, limits.idle_before_ping);
    static_cast<void>(client.hears_only<wire::ping>());
}

TEST_CASE("F a client that answers no ping is let go") {
    client_inside client;
    client.waits(limits.idle_before_ping);
    static_cast<void>(client.hears_only<wire::ping>());
    check_patient(client, limits.ping_answer);
    check_bye(client, wire::bye_reason::silent);
}

TEST_CASE("F a client that takes nothing of what waits for it is closed without a word") {
    client_inside client;
    client.stops_reading();
    client.says(wire::ping{request_id{1}});
    static_cast<void>(client.hears());
    client.waits(limits.write_stall - a_moment);
    CHECK(client.is_read());
    client.waits(a_moment);
    CHECK(client.is_closed());
    CHECK(client.hears().empty());
    CHECK(client.why_ended().find("it took nothing of") == 0);
}

TEST_CASE("F a client that takes a little at a time is not stalled") {
    client_inside client;
    client.stops_reading();
    for (std::uint32_t i = 0; i < 20; ++i) {
        client.says(wire::ping{request_id{i}});
    }
    for (int i = 0; i < 2; ++i) {
        client.waits(limits.write_stall - a_moment);
        CHECK_FALSE(client.is_closed());
        client.reads(1);
    }
    // What is queued behind it does not renew its time.
    client.waits(limits.write_stall - 1s);
    client.says(wire::ping{request_id{99}});
    client.waits(1s);
    CHECK(client.is_closed());
}

TEST_CASE("F the time of a stall begins when something begins to wait") {
    client_inside client;
    client.waits(limits.idle_before_ping - 1s);
    client.stops_reading();
    client.says(wire::ping{request_id{1}});
    client.waits(limits.write_stall - a_moment);
    CHECK_FALSE(client.is_closed());
}

namespace {

/// A client that reads nothing and for which more than this waits.
void let_wait(client_inside& client, std::size_t bytes) {
    client.stops_reading();
    client.host.status_now.servers.resize(1);
    client.host.status_now.servers[0].address = std::string(8000, 'x');
    while (client.queued() <= bytes && !client.is_closed()) {
        client.says(wire::status_request{request_id{1}});
    }
}

} // namespace

TEST_CASE("F nothing is read from a client for which more than 256 KiB wait") {
    client_inside client;
    let_wait(client, limits.write_queue_to_pause_at);
    CHECK(client.asked_for() == fake_client::next_step::pause);

    client.reads(client.queued() - limits.write_queue_to_pause_at - 1);
    CHECK(client.asked_for() == fake_client::next_step::pause);
    client.reads(1);
    CHECK(client.is_read());
}

TEST_CASE("F a client for which more than 16 MiB wait is closed") {
    client_inside client;
    let_wait(client, limits.largest_write_queue - 16'000);
    CHECK_FALSE(client.is_closed());
    let_wait(client, limits.largest_write_queue);
    CHECK(client.is_closed());
    CHECK(client.why_ended().find("it reads too slowly") != std::string::npos);
}

TEST_CASE("003 no time runs against the words of a client that we do not read") {
    client_inside client;
    client.sends(base::byte_view{ping_with(0)}.first(10));
    client.session().output_progress(client.now(), limits.write_queue_to_pause_at + 200, 0);
    CHECK(client.asked_for() == fake_client::next_step::pause);

    // The rest of its frame, and its pings, lie in the kernel while it takes what waits for it.
    instant now = client.now();
    for (std::uint64_t taken = 1; taken <= 100; ++taken) {
        now = now + limits.write_stall - a_moment;
        client.session().output_progress(now, limits.write_queue_to_pause_at + 200 - taken, taken);
        CHECK(client.session().next_deadline() > now);
        client.session().deadline(now);
        CHECK(client.asked_for() == fake_client::next_step::pause);
        CHECK(client.session().outbox().empty());
    }

    // It is read again: its time goes on from here.
    client.session().output_progress(now, 0, limits.write_queue_to_pause_at + 200);
    CHECK(client.is_read());
    CHECK(client.session().next_deadline() == now + limits.frame_grace);
}

TEST_CASE("F whoever was told to go has a moment to read it, then the connection ends") {
    client_inside client;
    client.says_hello();
    check_bye(client, wire::bye_reason::broke_rules);
    CHECK(client.session().next_deadline() == client.now() + limits.farewell);
    client.waits(limits.farewell - a_moment);
    CHECK(client.is_told_to_go());
    client.waits(a_moment);
    CHECK(client.is_closed());
}

TEST_CASE("style 11 nothing piles up from somebody who was told to go") {
    fake_client client;
    client.sends(base::byte_vector(64, std::byte{0}));
    check_bye(client, wire::bye_reason::broke_rules);
    const base::byte_vector more(1024 * 1024);
    client.sends(more);
    CHECK(client.session().read_into().size() <= 4096);
    CHECK(client.hears().empty());
}

TEST_CASE("a deadline that comes too early changes nothing") {
    client_inside client;
    const instant due = client.session().next_deadline();
    client.session().deadline(due - a_moment);
    CHECK(client.session().next_deadline() == due);
    CHECK(client.is_read());
    CHECK(client.hears().empty());
}

} // namespace almenara::server
