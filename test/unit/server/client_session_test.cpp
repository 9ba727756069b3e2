#include "server/client_session.hpp"

#include "base/random.hpp"
#include "support/all_messages.hpp"
#include "support/printing.hpp"
#include "support/samples.hpp"
#include "unit/server/fake_client.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>

/// What a session says; how long it waits stands in client_session_limits_test.cpp.
namespace almenara::server {

namespace {

using test::client_inside;
using test::fake_client;

bool holds(std::string_view text, std::string_view words) {
    return text.find(words) != std::string_view::npos;
}

/// It was told that it broke the rules, and how.
void check_broke_rules(fake_client& client, std::string_view how) {
    const auto told = client.hears_only<wire::bye>();
    CHECK(told.reason == wire::bye_reason::broke_rules);
    CHECK(told.retry_after.count() == 0);
    CAPTURE(told.text);
    CHECK(holds(told.text, how));
    CHECK(client.why_ended() == told.text);
    CHECK(client.is_told_to_go());
}

} // namespace

TEST_CASE("C.0 a client that says hello is welcome") {
    fake_client client;
    client.says(wire::c_hello{.request = request_id{9}, .client_name = "almenara 0.1.0"});

    wire::welcome expected = client.host.welcome;
    expected.request = request_id{9};
    CHECK(client.hears_only<wire::welcome>() == expected);
    CHECK(client.is_read());
    CHECK(client.session().was_admitted());
    CHECK(client.session().client_name() == R"("almenara 0.1.0")");
    CHECK(client.host.asked == std::vector{connection_id{5}});
}

TEST_CASE("C.0 nobody is welcome who has not said hello") {
    fake_client client;
    CHECK(client.hears().empty());
    CHECK_FALSE(client.session().was_admitted());
    CHECK(client.host.asked.empty());
}

TEST_CASE("C.0 a client of another protocol version is told whom to update") {
    const auto [version, whom] = GENERATE(table<std::uint16_t, std::string>({
        {std::uint16_t{0}, "Update the client"},
        {static_cast<std::uint16_t>(wire::protocol_version + 1), "Update the server"},
        {std::uint16_t{65535}, "Update the server"},
    }));
    fake_client client;
    client.says(wire::c_hello{.request = request_id{3}, .protocol = version});

    const auto refusal = client.hears_only<wire::reject>();
    CHECK(refusal.request == request_id{3});
    CHECK(refusal.code == wire::reject_code::protocol);
    CHECK(refusal.retry_after.count() == 0);
    CAPTURE(refusal.text);
    CHECK(holds(refusal.text, whom));
    CHECK(holds(refusal.text, std::to_string(version)));
    CHECK(client.is_told_to_go());
    CHECK(client.host.asked.empty());
}

TEST_CASE("C.0 a ping is answered with its number and who answers") {
    client_inside client;
    client.says(wire::ping{request_id{77}});

    const auto answer = client.hears_only<wire::pong>();
    CHECK(answer.request == request_id{77});
    CHECK(answer.server == server_id{7});
    CHECK(answer.index == log_index{12});
}

TEST_CASE("C.0 requests that come together are answered in their order") {
    fake_client client;
    base::byte_vector stream = test::frame_of(wire::c_hello{.request = request_id{1}});
    for (std::uint32_t number = 2; number < 200; ++number) {
        wire::append_message<wire::client_messages>(wire::ping{request_id{number}}, stream);
    }
    client.sends(stream);

    const auto words = client.hears();
    REQUIRE(words.size() == 199);
    CHECK(std::get<wire::welcome>(words.front()).request == request_id{1});
    for (std::size_t i = 1; i < words.size(); ++i) {
        CHECK(std::get<wire::pong>(words[i]).request.value() == i + 1);
    }
}

TEST_CASE("B.2 it does not matter how the bytes of a conversation are cut") {
    fake_client client;
    base::byte_vector stream = test::frame_of(wire::c_hello{.request = request_id{1}});
    wire::append_message<wire::client_messages>(wire::ping{request_id{2}}, stream);
    for (const std::byte byte : stream) {
        client.sends({&byte, 1});
    }
    const auto words = client.hears();
    REQUIRE(words.size() == 2);
    CHECK(std::get<wire::pong>(words[1]).request == request_id{2});
}

TEST_CASE("C.0 a status request is answered with the host's status") {
    client_inside client;
    client.host.status_now.clients = 3;
    client.says(wire::status_request{request_id{4}});

    const auto answer = client.hears_only<wire::status_reply>();
    CHECK(answer.request == request_id{4});
    CHECK(answer.clients == 3);
    CHECK(answer.answered_by == server_id{7});
}

TEST_CASE("C.0 a client that says goodbye is let go without a word") {
    client_inside client;
    client.says(wire::bye{.text = "that was all"});
    CHECK(client.hears().empty());
    CHECK(client.is_told_to_go());
    CHECK(client.why_ended().empty());
}

TEST_CASE("C.0 what comes behind a goodbye is not answered") {
    client_inside client;
    base::byte_vector stream = test::frame_of(wire::bye{});
    wire::append_message<wire::client_messages>(wire::ping{request_id{2}}, stream);
    client.sends(stream);
    CHECK(client.hears().empty());
    CHECK(client.is_told_to_go());
}

TEST_CASE("C.0 a second hello breaks the rules") {
    client_inside client;
    client.says_hello();
    check_broke_rules(client, "a second hello");
    CHECK(client.host.asked.size() == 1);
}

TEST_CASE("C.0 requests before the hello break the rules") {
    fake_client client;
    SECTION("ping") {
        client.says(wire::ping{});
        check_broke_rules(client, "a ping before the hello");
    }
    SECTION("pong") {
        client.says(wire::pong{});
        check_broke_rules(client, "a pong before the hello");
    }
    SECTION("status") {
        client.says(wire::status_request{});
        check_broke_rules(client, "a status request before the hello");
    }
    CHECK_FALSE(client.session().was_admitted());
}

TEMPLATE_TEST_CASE("C.0 a client that says what only servers say breaks the rules",
                   "",
                   wire::welcome,
                   wire::reject,
                   wire::error_reply,
                   wire::status_reply) {
    SECTION("before the hello") {
        fake_client client;
        client.says(TestType{});
        check_broke_rules(client, wire::name_of<TestType>());
    }
    SECTION("inside") {
        client_inside client;
        client.says(TestType{});
        check_broke_rules(client, wire::name_of<TestType>());
    }
}

TEST_CASE("B.2 a message of a newer client is skipped if it says that it may be") {
    client_inside client;
    client.sends(test::unknown_frame({wire::frame_flag::ignorable}));
    CHECK(client.hears().empty());
    CHECK(client.is_read());
    client.says(wire::ping{request_id{2}});
    CHECK(client.hears_only<wire::pong>().request == request_id{2});
}

TEST_CASE("B.2 an unknown message that may not be skipped ends the connection") {
    client_inside client;
    client.sends(test::unknown_frame({}));
    check_broke_rules(client, "0x02fe");
}

TEST_CASE("B.2 a body that is no message ends the connection") {
    client_inside client;
    base::byte_vector bytes;
    wire::append_frame({.type = wire::type_of<wire::client_messages, wire::status_reply>()},
                       wire::ping{request_id{5}}, bytes);
    client.sends(bytes);
    CHECK(client.is_told_to_go());
    CHECK_FALSE(client.why_ended().empty());
}

TEST_CASE("F garbage ends the connection with a reason") {
    fake_client client;
    SECTION("a browser") {
        client.sends(base::as_bytes("GET / HTTP/1.1\r\nHost: 127.0.0.1:7400\r\n\r\n"));
        check_broke_rules(client, "over the limit");
    }
    SECTION("a wrong checksum") {
        base::byte_vector bytes = test::frame_of(wire::c_hello{});
        bytes.back() ^= std::byte{1};
        client.sends(bytes);
        check_broke_rules(client, "checksum");
    }
    SECTION("a length less than the header") {
        client.sends(base::byte_vector(64, std::byte{0}));
        check_broke_rules(client, "less than its header");
    }
}

TEST_CASE("F any bytes at all give an orderly end or wait for more") {
    base::generator random{20261120};
    for (int round = 0; round < 200; ++round) {
        fake_client client;
        base::byte_vector noise(1 + random.below(300));
        for (std::byte& byte : noise) {
            byte = static_cast<std::byte>(random.below(256));
        }
        client.sends(noise);
        CHECK_FALSE(client.session().was_admitted());
        CHECK((client.is_told_to_go() || client.is_read()));
        client.waits(std::chrono::hours{1});
        CHECK(client.is_closed());
    }
}

TEST_CASE("S28 a full server says when to come back") {
    fake_client client;
    client.host.refusal =
        wire::reject{.retry_after = std::chrono::milliseconds{2500}, .text = "the server is full"};
    client.says(wire::c_hello{.request = request_id{8}, .client_name = "late"});

    const auto refusal = client.hears_only<wire::reject>();
    CHECK(refusal.request == request_id{8});
    CHECK(refusal.code == wire::reject_code::full);
    CHECK(refusal.retry_after == std::chrono::milliseconds{2500});
    CHECK(refusal.text == "the server is full");
    CHECK_FALSE(client.session().was_admitted());
    CHECK(client.session().client_name() == R"("late")");
    CHECK(client.why_ended() == "rejected: the server is full");

    // It has a moment to read that, then the connection ends.
    CHECK(client.is_told_to_go());
    client.waits(session_limits{}.farewell);
    CHECK(client.is_closed());
    CHECK(client.hears().empty());
}

TEST_CASE("003 the administrator on this machine gets into a full server") {
    fake_client client{client_origin::local_administrator};
    client.host.refusal = wire::reject{.text = "the server is full"};
    client.says_hello();
    CHECK(client.hears_only<wire::welcome>().request == request_id{1});
    CHECK(client.host.asked.empty());
    CHECK_FALSE(client.session().was_admitted());
}

TEST_CASE("S27 a server that stops tells those inside, and when to look again") {
    client_inside client;
    client.session().stop(client.now());
    client.turn_ends();
    const auto told = client.hears_only<wire::bye>();
    CHECK(told.reason == wire::bye_reason::stopping);
    CHECK(told.retry_after.count() > 0);
    CHECK_FALSE(told.text.empty());
    CHECK(client.is_told_to_go());
    // The server's own doing is no line in the log for each client.
    CHECK(client.why_ended().empty());
}

TEST_CASE("S27 a server that stops refuses those who have not said hello") {
    fake_client client;
    SECTION("silent") {}
    SECTION("with half a hello") {
        client.sends(base::byte_view{test::frame_of(wire::c_hello{})}.first(10));
    }
    SECTION("waiting for a place") {
        client.session().waits_for_place();
    }
    client.session().stop(client.now());
    client.turn_ends();
    const auto refusal = client.hears_only<wire::reject>();
    CHECK(refusal.code == wire::reject_code::stopping);
    CHECK(refusal.retry_after.count() > 0);
    CHECK(client.is_told_to_go());
    client.waits(session_limits{}.farewell);
    CHECK(client.is_closed());
}

TEST_CASE("S27 stopping twice says one goodbye, and none to those who are leaving") {
    client_inside client;
    const bool leaves_first = GENERATE(false, true);
    if (leaves_first) {
        client.says(wire::bye{});
    }
    client.session().stop(client.now());
    client.session().stop(client.now());
    client.turn_ends();
    CHECK(client.hears().size() == (leaves_first ? 0 : 1));
}

TEST_CASE("F a client's name can neither forge a log line nor steer a terminal") {
    fake_client client;
    client.says(wire::c_hello{.client_name = "\x1b[2Jevil\nserver 1: all is well\xff"});
    CHECK(client.session().client_name() == R"("\x1b[2Jevil\nserver 1: all is well\xff")");
}

TEST_CASE("style 11 a client's name is kept only as far as a line goes") {
    fake_client client;
    client.says(wire::c_hello{.client_name = std::string(10'000, 'x')});
    CHECK(client.session().client_name() == '"' + std::string(64, 'x') + '"');
}

TEST_CASE("C.0 any message of any content gets an answer or an end, never silence for ever") {
    base::generator random{7};
    wire::for_each_message<wire::client_messages>([&]<class Message>(wire::message_type) {
        for (int round = 0; round < 50; ++round) {
            client_inside client;
            client.says(test::make_sample<Message>(random, test::fullness::some));
            CHECK((client.is_read() || client.is_told_to_go()));
            for (const auto& word : client.hears()) {
                CHECK_FALSE(std::holds_alternative<wire::welcome>(word));
            }
        }
    });
}

} // namespace almenara::server
