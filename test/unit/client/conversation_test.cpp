#include "client/conversation.hpp"

#include "base/random.hpp"
#include "unit/client/server_voice.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

using namespace almenara;
using namespace std::chrono_literals;
using client::failure_kind;

namespace {

/// One conversation and everything around it: a clock that is moved by hand, the server's ear, and
/// what the client's caller was told.
class talk {
  public:
    talk() { collect(); }

    template <class Message>
    void server_says(const Message& message) {
        server_sends(test::bytes_of(message));
    }

    void server_sends(base::byte_view bytes) {
        while (!bytes.empty()) {
            const auto room = client.free_space();
            const std::size_t count = std::min(room.size(), bytes.size());
            std::copy_n(bytes.begin(), count, room.begin());
            client.received(count, now);
            bytes = bytes.subspan(count);
        }
        collect();
    }

    void welcome() {
        server_says(test::plain_welcome(last_heard<wire::c_hello>().request));
        events.clear();
        heard.clear();
    }

    template <class Request>
    request_id ask(duration within = 10s) {
        const auto request = client.ask(Request{}, now + within);
        REQUIRE(request);
        collect();
        return *request;
    }

    void pass(duration time) {
        now = now + time;
        client.tick(now);
        collect();
    }

    void collect() {
        auto output = client.take_output();
        for (auto& message : ear.hear(output.send)) {
            heard.push_back(std::move(message));
        }
        for (auto& event : output.events) {
            events.push_back(std::move(event));
        }
        finished = finished || output.finish;
    }

    template <class Message>
    [[nodiscard]] Message last_heard() const {
        REQUIRE_FALSE(heard.empty());
        const auto* const message = std::get_if<Message>(&heard.back());
        REQUIRE(message != nullptr);
        return *message;
    }

    /// The only event, which must be of this kind.
    template <class Event>
    [[nodiscard]] Event the_event() const {
        REQUIRE(events.size() == 1);
        const auto* const event = std::get_if<Event>(&events.front());
        REQUIRE(event != nullptr);
        return *event;
    }

    instant now{1h};
    client::conversation client{{.client_name = "test 1"}, instant{1h} + 5s};
    test::client_ear ear;
    std::vector<test::client_message> heard;
    std::vector<client::event> events;
    bool finished = false;
};

bool says(const client::failure& why, std::string_view words) {
    return why.why.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("a client says hello by itself and is let in") {
    talk here;
    const auto hello = here.last_heard<wire::c_hello>();
    CHECK(hello.client_name == "test 1");
    CHECK(hello.protocol == wire::protocol_version);
    CHECK_FALSE(here.client.is_open());

    here.server_says(test::plain_welcome(hello.request));
    CHECK(here.the_event<client::opened>().welcome.server == server_id{1});
    CHECK(here.client.is_open());
}

TEST_CASE("nothing is asked before the welcome") {
    talk here;
    const auto request = here.client.ask(wire::ping{}, here.now + 1s);
    REQUIRE_FALSE(request);
    CHECK(request.error().kind == failure_kind::closed);
}

TEST_CASE("an answer finds its request") {
    talk here;
    here.welcome();
    const request_id asked = here.ask<wire::ping>();
    CHECK(here.last_heard<wire::ping>().request == asked);

    here.server_says(wire::pong{.request = asked, .server = server_id{3}});
    const auto answer = here.the_event<client::answered>();
    CHECK(answer.request == asked);
    CHECK(std::get<wire::pong>(answer.reply).server == server_id{3});
}

TEST_CASE("answers to many requests may come in any order and cut anywhere") {
    talk here;
    here.welcome();
    const request_id first = here.ask<wire::ping>();
    const request_id second = here.ask<wire::status_request>();
    const request_id third = here.ask<wire::ping>();

    base::byte_vector bytes;
    wire::append_message<wire::client_messages>(wire::pong{.request = third}, bytes);
    wire::append_message<wire::client_messages>(wire::pong{.request = first}, bytes);
    wire::append_message<wire::client_messages>(wire::status_reply{.request = second}, bytes);
    for (const std::byte& byte : bytes) {
        here.server_sends({&byte, 1});
    }

    std::vector<request_id> order;
    for (const auto& event : here.events) {
        order.push_back(std::get<client::answered>(event).request);
    }
    CHECK(order == std::vector{third, first, second});
}

TEST_CASE("the server's ping is answered, before the welcome too") {
    talk here;
    here.server_says(wire::ping{request_id{77}});
    CHECK(here.last_heard<wire::pong>().request == request_id{77});
    CHECK(here.events.empty());
}

TEST_CASE("a rejection is a value with everything the server said") {
    talk here;
    here.server_says(wire::reject{.request = request_id{1},
                                  .code = wire::reject_code::full,
                                  .retry_after = 1500ms,
                                  .text = "64 of 64 places are taken.\x1b[2J"});
    const auto why = here.the_event<client::ended>().why;
    CHECK(why.kind == failure_kind::rejected);
    CHECK(why.reject == wire::reject_code::full);
    CHECK(why.retry_after == 1500ms);
    CHECK(why.why == "the server has no room for another client: 64 of 64 places are "
                     "taken.\\x1b[2J");
    CHECK(here.finished);
}

TEST_CASE("another version of the protocol is a mismatch, whichever side notices") {
    talk here;
    SECTION("the server") {
        here.server_says(wire::reject{.code = wire::reject_code::protocol, .text = "I speak 2"});
        CHECK(here.the_event<client::ended>().why.reject == wire::reject_code::protocol);
    }
    SECTION("the client") {
        auto welcome = test::plain_welcome(here.last_heard<wire::c_hello>().request);
        welcome.protocol = 9;
        here.server_says(welcome);
        CHECK(says(here.the_event<client::ended>().why, "version 9"));
    }
    CHECK(std::get<client::ended>(here.events.back()).why.kind == failure_kind::mismatch);
}

TEST_CASE("a goodbye of the server fails what waits, with its reason, and then ends") {
    talk here;
    here.welcome();
    const request_id asked = here.ask<wire::ping>();
    here.server_says(wire::bye{.reason = wire::bye_reason::stopping, .retry_after = 200ms});

    REQUIRE(here.events.size() == 2);
    const auto& failed = std::get<client::failed>(here.events[0]);
    CHECK(failed.request == asked);
    CHECK(failed.why.kind == failure_kind::closed);
    CHECK(failed.why.bye == wire::bye_reason::stopping);
    CHECK(failed.why.retry_after == 200ms);
    CHECK(std::get<client::ended>(here.events[1]).why == failed.why);
    CHECK(here.finished);
    CHECK(here.client.is_over());
}

TEST_CASE("a server that says what its reason says already is not quoted") {
    talk here;
    here.welcome();
    here.server_says(
        wire::bye{.reason = wire::bye_reason::stopping, .text = "the server is going down"});
    CHECK(here.the_event<client::ended>().why.why == "the server is going down");
}

TEST_CASE("the end of the stream ends the conversation with the system's reason, if there is one") {
    talk here;
    here.welcome();
    SECTION("an orderly end") {
        here.client.stream_ended({});
        here.collect();
        CHECK_FALSE(here.the_event<client::ended>().why.cause);
    }
    SECTION("a broken connection") {
        here.client.stream_ended(std::make_error_code(std::errc::connection_reset));
        here.collect();
        CHECK(here.the_event<client::ended>().why.cause == std::errc::connection_reset);
    }
    CHECK(std::get<client::ended>(here.events[0]).why.kind == failure_kind::closed);
}

TEST_CASE("a server that closes in the middle of a frame is gone, and half a frame is nothing") {
    talk here;
    SECTION("of its welcome") {
        const auto whole =
            test::bytes_of(test::plain_welcome(here.last_heard<wire::c_hello>().request));
        here.server_sends(base::byte_view{whole}.first(GENERATE_COPY(1U, 4U, whole.size() - 1)));
    }
    SECTION("of an answer") {
        here.welcome();
        static_cast<void>(here.ask<wire::ping>());
        const auto whole = test::bytes_of(test::plain_welcome(request_id{1}));
        here.server_sends(base::byte_view{whole}.first(whole.size() / 2));
    }
    CHECK(here.events.empty());
    here.client.stream_ended({});
    here.collect();
    CHECK(here.finished);
    const auto ended = std::find_if(here.events.begin(), here.events.end(), [](const auto& each) {
        return std::holds_alternative<client::ended>(each);
    });
    REQUIRE(ended != here.events.end());
    CHECK(std::get<client::ended>(*ended).why.kind == failure_kind::closed);
    CHECK_FALSE(here.client.is_open());
}

TEST_CASE("leaving says goodbye and cancels what waits") {
    talk here;
    here.welcome();
    const request_id asked = here.ask<wire::ping>();
    here.client.leave();
    here.collect();
    CHECK(here.last_heard<wire::bye>().reason == wire::bye_reason::done);
    REQUIRE(here.events.size() == 2);
    CHECK(std::get<client::failed>(here.events[0]).request == asked);
    CHECK(std::get<client::failed>(here.events[0]).why.kind == failure_kind::cancelled);
    CHECK(here.finished);

    here.heard.clear();
    here.client.leave();
    here.collect();
    CHECK(here.heard.empty());
}

TEST_CASE("a request that the server declines fails alone") {
    talk here;
    here.welcome();
    const request_id asked = here.ask<wire::status_request>();
    here.server_says(wire::error_reply{
        .request = asked, .code = wire::result_code::forbidden, .text = "only for administrators"});
    const auto failed = here.the_event<client::failed>();
    CHECK(failed.request == asked);
    CHECK(failed.why.kind == failure_kind::declined);
    CHECK(failed.why.refusal == wire::result_code::forbidden);
    CHECK(says(failed.why, "only for administrators"));
    CHECK(here.client.is_open());
}

TEST_CASE("no welcome within the time ends the conversation") {
    talk here;
    CHECK(here.client.next_deadline() == here.now + 5s);
    here.pass(5s - 1ns);
    CHECK(here.events.empty());
    here.pass(1ns);
    CHECK(here.the_event<client::ended>().why.kind == failure_kind::timed_out);
    CHECK(here.client.next_deadline() == std::nullopt);
}

TEST_CASE("a request that is overdue fails and the others wait on") {
    talk here;
    here.welcome();
    const request_id patient = here.ask<wire::ping>(900ms);
    const request_id hasty = here.ask<wire::ping>(100ms);
    CHECK(here.client.next_deadline() == here.now + 100ms);
    here.pass(100ms);
    const auto failed = here.the_event<client::failed>();
    CHECK(failed.request == hasty);
    CHECK(failed.why.kind == failure_kind::timed_out);
    CHECK(here.client.next_deadline() == here.now + 800ms);

    here.events.clear();
    SECTION("its late answer is nobody's") {
        here.server_says(wire::pong{.request = hasty});
        CHECK(here.events.empty());
        CHECK(here.client.is_open());
    }
    SECTION("the patient one gets its answer") {
        here.server_says(wire::pong{.request = patient});
        CHECK(here.the_event<client::answered>().request == patient);
    }
}

TEST_CASE("a silent server is asked once, and counts as gone when it says nothing") {
    talk here;
    here.welcome();
    CHECK(here.client.next_deadline() == here.now + 1s);
    here.pass(1s);
    const auto probe = here.last_heard<wire::ping>();
    CHECK(here.client.next_deadline() == here.now + 2s);
    here.pass(500ms);
    CHECK(here.heard.size() == 1);

    SECTION("it answers") {
        here.server_says(wire::pong{.request = probe.request});
        CHECK(here.client.next_deadline() == here.now + 1s);
        here.pass(1s - 1ns);
        CHECK(here.events.empty());
    }
    SECTION("it does not") {
        here.pass(1500ms - 1ns);
        CHECK(here.events.empty());
        here.pass(1ns);
        CHECK(here.the_event<client::ended>().why.kind == failure_kind::closed);
    }
}

TEST_CASE("a client that slept itself does not blame the server") {
    talk here;
    here.welcome();
    here.pass(1h);
    CHECK(here.events.empty());
    CHECK(here.last_heard<wire::ping>().request > request_id{0});
}

TEST_CASE("more requests than may wait are refused") {
    talk here;
    here.welcome();
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(here.client.ask(wire::ping{}, here.now + 1s));
    }
    const auto one_more = here.client.ask(wire::ping{}, here.now + 1s);
    REQUIRE_FALSE(one_more);
    CHECK(one_more.error().kind == failure_kind::busy);

    here.pass(1s);
    CHECK(here.client.ask(wire::ping{}, here.now + 1s));
}

// A hostile server: whatever it sends, the client ends the conversation with a reason.

TEST_CASE("bytes behind a message that has none are a newer server's, and are left alone") {
    talk here;
    here.welcome();
    const request_id asked = here.ask<wire::ping>();
    base::byte_vector bytes;
    wire::append_message<wire::client_messages>(wire::pong{.request = asked}, bytes, {},
                                                base::as_bytes("from tomorrow"));
    here.server_sends(bytes);
    CHECK(std::get<client::answered>(here.events.back()).request == asked);
}

TEST_CASE("a server that breaks the rules is told so and left") {
    talk here;
    SECTION("a welcome to another hello") {
        here.server_says(test::plain_welcome(request_id{4711}));
    }
    SECTION("two welcomes") {
        here.welcome();
        here.server_says(test::plain_welcome(request_id{1}));
    }
    SECTION("a rejection after the welcome") {
        here.welcome();
        here.server_says(wire::reject{.code = wire::reject_code::full});
    }
    SECTION("an answer before the welcome") {
        here.server_says(wire::pong{.request = request_id{1}});
    }
    SECTION("an answer to a request that was never made") {
        here.welcome();
        here.server_says(wire::pong{.request = request_id{4711}});
    }
    SECTION("a refusal of a request that was never made") {
        here.welcome();
        here.server_says(wire::error_reply{.request = request_id{4711}});
    }
    SECTION("an answer of the wrong type") {
        here.welcome();
        const request_id asked = here.ask<wire::status_request>();
        here.heard.clear();
        here.server_says(wire::pong{.request = asked});
        CHECK(std::get<client::failed>(here.events[0]).request == asked);
    }
    SECTION("what only clients say") {
        here.welcome();
        here.server_says(wire::status_request{});
    }
    SECTION("a message type that does not exist") {
        here.welcome();
        base::byte_vector bytes;
        wire::append_frame({.type = wire::message_type{0x02ff}}, wire::ping{}, bytes);
        here.server_sends(bytes);
    }
    CHECK(here.last_heard<wire::bye>().reason == wire::bye_reason::broke_rules);
    CHECK(std::get<client::ended>(here.events.back()).why.kind == failure_kind::broken_rules);
    CHECK(here.finished);
}

TEST_CASE("something else than a server is recognised by its first bytes") {
    talk here;
    here.server_sends(base::as_bytes("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
    const auto why = here.the_event<client::ended>().why;
    CHECK(why.kind == failure_kind::broken_rules);
    CHECK(says(why, "not an Almenara server"));
}

TEST_CASE("a damaged frame ends the conversation") {
    talk here;
    here.welcome();
    auto bytes = test::bytes_of(wire::ping{request_id{5}});
    bytes.back() ^= std::byte{1};
    here.server_sends(bytes);
    CHECK(says(here.the_event<client::ended>().why, "checksum"));
}

TEST_CASE("frames over the limit of their state are refused by their length alone") {
    talk here;
    std::size_t limit = wire::largest_frame_before_login;
    SECTION("at the door") {}
    SECTION("after the welcome") {
        here.welcome();
        limit = wire::largest_control_frame;
    }
    const auto claim = static_cast<std::uint32_t>(limit);
    base::byte_vector length;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        length.push_back(static_cast<std::byte>(claim >> shift));
    }
    here.server_sends(length);
    CHECK(says(here.the_event<client::ended>().why, "over the limit"));
}

TEST_CASE("behind the door larger frames are taken") {
    talk here;
    here.welcome();
    const request_id asked = here.ask<wire::status_request>();
    wire::status_reply reply{.request = asked};
    reply.servers.push_back(
        {.id = server_id{1}, .address = std::string(wire::largest_frame_before_login, 'a')});
    here.server_says(reply);
    CHECK(std::get<wire::status_reply>(here.the_event<client::answered>().reply) == reply);
}

TEST_CASE("an unknown message that may be skipped is skipped") {
    talk here;
    here.welcome();
    base::byte_vector bytes;
    wire::append_frame({.type = wire::message_type{0x02ff}, .flags = {wire::frame_flag::ignorable}},
                       wire::ping{}, bytes);
    here.server_sends(bytes);
    CHECK(here.events.empty());
    CHECK(here.client.is_open());
}

TEST_CASE("nothing is said or heard after the end") {
    talk here;
    here.welcome();
    here.server_says(wire::bye{});
    here.events.clear();
    here.server_says(wire::ping{request_id{9}});
    here.client.stream_ended({});
    here.pass(1h);
    CHECK(here.events.empty());
    CHECK(here.heard.empty());
    CHECK_FALSE(here.client.ask(wire::ping{}, here.now + 1s));
}

TEST_CASE("every request ends exactly once, whatever a server sends") {
    const auto seed = GENERATE(range<std::uint64_t>(0, 200));
    base::generator random{seed};
    talk here;
    here.welcome();
    std::map<request_id, int> endings;
    for (int step = 0; step < 60; ++step) {
        if (here.client.is_open() && random.chance(1, 2)) {
            endings[here.ask<wire::ping>(random.between(1ms, 2s))] = 0;
        }
        // Numbers near the real ones: right ones, answered ones and such as never were.
        const request_id number{static_cast<std::uint32_t>(random.below(40))};
        switch (random.below(24)) {
        case 0:
            here.server_says(wire::status_reply{.request = number});
            break;
        case 1:
            here.server_says(wire::error_reply{.request = number});
            break;
        case 2:
            here.server_says(wire::bye{});
            break;
        case 3:
            here.pass(random.between(0s, 1s));
            break;
        default:
            if (!endings.empty()) {
                const request_id known{
                    static_cast<std::uint32_t>(random.below(endings.rbegin()->first.value()) + 1)};
                here.server_says(wire::pong{.request = known});
            }
        }
    }
    here.client.leave();
    here.collect();
    int ends = 0;
    for (const auto& event : here.events) {
        if (const auto* const answer = std::get_if<client::answered>(&event)) {
            ++endings[answer->request];
        } else if (const auto* const failed = std::get_if<client::failed>(&event)) {
            ++endings[failed->request];
        } else {
            ++ends;
        }
    }
    CHECK(ends == 1);
    for (const auto& [request, times] : endings) {
        INFO("request " << request << ", seed " << seed);
        CHECK(times == 1);
    }
}

TEST_CASE("random bytes never get further than the end of the conversation") {
    const auto seed = GENERATE(range<std::uint64_t>(0, 200));
    base::generator random{seed};
    talk here;
    if (random.chance(1, 2)) {
        here.welcome();
    }
    base::byte_vector bytes(random.below(300) + 40);
    for (std::byte& byte : bytes) {
        byte = static_cast<std::byte>(random.below(256));
    }
    bytes[3] = std::byte{0x7f}; // A length that cannot be: otherwise the client waits for the rest.
    here.server_sends(bytes);
    CHECK(here.client.is_over());
}
