#include "server/client_session.hpp"
#include "support/printing.hpp"
#include "unit/server/fake_client.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// What a session passes on to the reception, and how the answers come back.
namespace almenara::server {

namespace {

using test::client_inside;
using wire::result_code;

wire::login login_of(std::string user, std::uint32_t request = 2) {
    wire::login what;
    what.request = request_id{request};
    what.user = std::move(user);
    return what;
}

wire::login_ok login_ok_of(std::string user, std::uint32_t request = 2) {
    wire::login_ok what;
    what.request = request_id{request};
    what.administrator = user == "admin";
    what.user = std::move(user);
    return what;
}

wire::operation operation_of(std::uint32_t request, std::size_t bytes = 10) {
    wire::operation what;
    what.request = request_id{request};
    what.seq = sequence{request};
    what.body.resize(bytes);
    return what;
}

template <class Request>
Request with_number(std::uint32_t request) {
    Request what;
    what.request = request_id{request};
    return what;
}

/// One that has logged in.
struct known_client : client_inside {
    explicit known_client(const std::string& user = "ann",
                          client_origin origin = client_origin::network,
                          const session_limits& limits = {})
        : client_inside(origin, limits) {
        says(login_of(user));
        is_told(login_ok_of(user));
        static_cast<void>(hears_only<wire::login_ok>());
        host.requests.clear();
    }
};

} // namespace

TEST_CASE("C.0: a login goes to the server's reception, and its answer comes back") {
    client_inside client;
    client.says(login_of("ann"));
    CHECK(client.hears().empty());
    REQUIRE(client.host.requests.size() == 1);
    const auto& [who, asked] = client.host.requests.front();
    CHECK(who == connection_id{5});
    CHECK(std::get<wire::login>(asked) == login_of("ann"));
    client.is_told(login_ok_of("ann"));
    CHECK(client.hears_only<wire::login_ok>() == login_ok_of("ann"));
    CHECK(client.is_read());
}

TEMPLATE_TEST_CASE("C.0: what needs a login is UNAUTHENTICATED without one",
                   "",
                   wire::operation,
                   wire::read,
                   wire::session_close,
                   wire::admin) {
    client_inside client;
    client.says(with_number<TestType>(9));
    CHECK(client.host.requests.empty());
    CHECK(client.host.wishes.empty());
    const auto told = client.hears();
    REQUIRE(told.size() == 1);
    const auto* const result = std::get_if<wire::operation_result>(&told.front());
    const auto* const found = std::get_if<wire::read_result>(&told.front());
    const auto* const refusal = std::get_if<wire::error_reply>(&told.front());
    CHECK((result != nullptr) == std::is_same_v<TestType, wire::operation>);
    CHECK((found != nullptr) == std::is_same_v<TestType, wire::read>);
    const auto code = result ? result->code : found ? found->code : refusal->code;
    const auto number = result ? result->request : found ? found->request : refusal->request;
    CHECK(code == result_code::unauthenticated);
    CHECK(number == request_id{9});
    CHECK(client.is_read());
}

TEST_CASE("C.0: who has not logged in may ask who is primary") {
    client_inside client;
    client.says(with_number<wire::whois>(4));
    REQUIRE(client.host.requests.size() == 1);
    client.is_told(with_number<wire::primary_is>(4));
    CHECK(client.hears_only<wire::primary_is>().request == request_id{4});
}

TEST_CASE("C.0: after an attach operations are taken") {
    client_inside client;
    client.says(with_number<wire::attach>(3));
    client.is_told(with_number<wire::attached>(3));
    static_cast<void>(client.hears_only<wire::attached>());
    client.says(operation_of(4));
    CHECK(client.host.requests.size() == 2);
}

TEST_CASE("C.0: an attach that is refused makes nobody known") {
    client_inside client;
    client.says(with_number<wire::attach>(3));
    wire::error_reply refusal;
    refusal.request = request_id{3};
    refusal.code = result_code::session_expired;
    client.is_told(refusal);
    static_cast<void>(client.hears());
    client.says(operation_of(4));
    CHECK(client.hears_only<wire::operation_result>().code == result_code::unauthenticated);
}

TEMPLATE_TEST_CASE("C.0: requests of the reception before the hello break the rules",
                   "",
                   wire::login,
                   wire::attach,
                   wire::session_close,
                   wire::operation,
                   wire::read,
                   wire::whois,
                   wire::admin) {
    test::fake_client client;
    client.says(TestType{});
    CHECK(client.hears_only<wire::bye>().reason == wire::bye_reason::broke_rules);
    CHECK(client.host.requests.empty());
    CHECK(client.is_told_to_go());
}

TEST_CASE("F: a frame may be larger as soon as it is known who sends it") {
    client_inside client;
    SECTION("not before") {
        client.says(operation_of(3, wire::largest_frame_before_login));
        CHECK(client.hears_only<wire::bye>().reason == wire::bye_reason::broke_rules);
    }
    SECTION("after a login") {
        client.says(login_of("ann"));
        client.is_told(login_ok_of("ann"));
        client.says(operation_of(3, 512U * 1024));
        CHECK(client.host.requests.size() == 2);
        CHECK(client.is_read());
    }
    SECTION("after an attach") {
        client.says(with_number<wire::attach>(2));
        client.is_told(with_number<wire::attached>(2));
        client.says(operation_of(3, 512U * 1024));
        CHECK(client.host.requests.size() == 2);
    }
}

TEST_CASE("F: what is larger than any frame ends the connection of a known client too") {
    known_client client;
    client.says(operation_of(3, wire::largest_control_frame));
    CHECK(client.hears_only<wire::bye>().reason == wire::bye_reason::broke_rules);
}

// -- Administrators -------------------------------------------------------------------------------

TEST_CASE("C.0: the wishes of an administrator are handed on") {
    const bool is_local = GENERATE(false, true);
    known_client client{is_local ? "ann" : "admin",
                        is_local ? client_origin::local_administrator : client_origin::network};
    wire::admin wish = with_number<wire::admin>(6);
    wish.verb = wire::admin_verb::transfer;
    wish.target = server_id{2};
    client.says(wish);
    REQUIRE(client.host.wishes.size() == 1);
    CHECK(client.host.wishes.front().second == wish);
    CHECK(client.hears().empty());
    wire::admin_result done = with_number<wire::admin_result>(6);
    done.text = "server 2 takes over";
    client.is_told(done);
    CHECK(client.hears_only<wire::admin_result>() == done);
}

TEST_CASE("F: a local administrator needs no login") {
    client_inside client{client_origin::local_administrator};
    client.says(with_number<wire::admin>(6));
    CHECK(client.host.wishes.size() == 1);
    client.says(operation_of(7, 512U * 1024));
    CHECK(client.host.requests.size() == 1);
}

TEST_CASE("F: a local administrator who logs in as somebody is one still, and is told so") {
    client_inside client{client_origin::local_administrator};
    client.says(login_of("ann"));
    client.is_told(login_ok_of("ann"));
    CHECK(client.hears_only<wire::login_ok>().administrator);
    client.says(with_number<wire::admin>(6));
    CHECK(client.host.wishes.size() == 1);
}

TEST_CASE("C.0: nobody else administers") {
    known_client client;
    client.says(with_number<wire::admin>(6));
    CHECK(client.host.wishes.empty());
    const auto told = client.hears_only<wire::error_reply>();
    CHECK(told.code == result_code::forbidden);
    CHECK(told.request == request_id{6});
    CHECK_FALSE(told.text.empty());
}

TEST_CASE("F: who was the administrator and logs in as somebody else is none any more") {
    known_client client{"admin"};
    client.says(login_of("ann"));
    client.is_told(login_ok_of("ann"));
    static_cast<void>(client.hears());
    client.says(with_number<wire::admin>(6));
    CHECK(client.hears_only<wire::error_reply>().code == result_code::forbidden);
}

// -- Bounds ---------------------------------------------------------------------------------------

TEST_CASE("style 11: so many requests of a connection are unanswered and no more") {
    known_client client{"ann", client_origin::network, {.most_unanswered = 2}};
    client.says(operation_of(11));
    client.says(operation_of(12));
    CHECK(client.hears().empty());
    client.says(operation_of(13));
    const auto told = client.hears_only<wire::operation_result>();
    CHECK(told.code == result_code::busy);
    CHECK(told.request == request_id{13});
    CHECK(told.seq == sequence{13});
    CHECK(client.host.requests.size() == 2);

    client.is_told(with_number<wire::operation_result>(11));
    client.says(operation_of(13));
    CHECK(client.host.requests.size() == 3);
}

TEST_CASE("style 11: so many bytes of a connection are unanswered and no more") {
    known_client client{"ann", client_origin::network, {.largest_unanswered = 10'000}};
    client.says(operation_of(11, 9'000));
    client.says(operation_of(12, 2'000));
    CHECK(client.hears_only<wire::operation_result>().code == result_code::busy);
    client.is_told(with_number<wire::operation_result>(11));
    client.says(operation_of(12, 2'000));
    CHECK(client.host.requests.size() == 2);
}

TEST_CASE("style 11: an administrator's wishes are counted too") {
    known_client client{"admin", client_origin::network, {.most_unanswered = 1}};
    client.says(with_number<wire::admin>(6));
    client.says(with_number<wire::admin>(7));
    CHECK(client.host.wishes.size() == 1);
    CHECK(client.hears_only<wire::error_reply>().code == result_code::busy);
}

TEST_CASE("C.0: a number that is not answered yet is not used again") {
    known_client client;
    client.says(operation_of(11));
    client.says(with_number<wire::whois>(11));
    CHECK(client.hears_only<wire::bye>().reason == wire::bye_reason::broke_rules);
    CHECK(client.host.requests.size() == 1);
}

TEST_CASE("C.0: a number that was answered may come again") {
    known_client client;
    client.says(operation_of(11));
    client.is_told(with_number<wire::operation_result>(11));
    static_cast<void>(client.hears());
    client.says(operation_of(11));
    CHECK(client.host.requests.size() == 2);
    CHECK(client.is_read());
}

// -- Ends -----------------------------------------------------------------------------------------

TEST_CASE("C.0: who says no more is answered what it asked before the connection ends") {
    known_client client;
    client.says(operation_of(11));
    client.says(operation_of(12));
    client.session().heard_all(client.now());
    client.is_told(with_number<wire::operation_result>(12));
    CHECK(client.is_read());
    client.is_told(with_number<wire::operation_result>(11));
    CHECK(client.hears().size() == 2);
    CHECK(client.is_told_to_go());
}

TEST_CASE("C.0: who says no more and is never answered is not kept for ever") {
    known_client client;
    client.says(operation_of(11));
    client.session().heard_all(client.now());
    client.waits(std::chrono::hours{1});
    CHECK(client.is_closed());
}

TEST_CASE("C.1: a connection that speaks for its session no more is told so and ends") {
    known_client client;
    client.session().dismiss(client.now(), "another one was attached");
    client.turn_ends();
    const auto told = client.hears_only<wire::bye>();
    CHECK(told.reason == wire::bye_reason::done);
    CHECK(told.text == "another one was attached");
    CHECK(client.is_told_to_go());

    // Nothing comes behind the last word, and what it still says is dropped.
    client.is_told(with_number<wire::operation_result>(11));
    client.says(operation_of(12));
    CHECK(client.hears().empty());
    CHECK(client.host.requests.empty());
}

TEST_CASE("S22: who is inside hears of the members without asking") {
    base::byte_vector frame;
    wire::members now;
    now.epoch = epoch{4};
    now.servers.push_back({.id = server_id{2}, .addresses = {"127.0.0.1:7402"}, .up = true});
    wire::append_message<wire::client_messages>(now, frame);

    client_inside client;
    client.session().push(frame);
    client.turn_ends();
    CHECK(client.hears_only<wire::members>() == now);

    test::fake_client at_the_door;
    at_the_door.session().push(frame);
    at_the_door.turn_ends();
    CHECK(at_the_door.hears().empty());
}

TEST_CASE("a session says whether it ever asked for something") {
    client_inside client;
    client.says(wire::ping{request_id{2}});
    client.says(operation_of(3));
    CHECK_FALSE(client.session().has_asked());
    client.says(with_number<wire::whois>(4));
    CHECK(client.session().has_asked());
}

} // namespace almenara::server
