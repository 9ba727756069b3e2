#include "cluster/raw_client.hpp"
#include "cluster/server_process.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace almenara;
using namespace almenara::test;
using namespace std::chrono_literals;
using wire::result_code;

/// A server that belongs to no cluster says so in the words of a cluster.
TEST_CASE("C.3: a server without a cluster holds WHOIS for as long as its client wishes",
          "[cluster]") {
    server_process server;
    raw_client client{server.port()};
    client.enter();
    const auto asked_at = std::chrono::steady_clock::now();
    client.say(wire::whois{.request = request_id{5}, .wait = 300ms});
    // Somebody who asks behind it is not kept waiting.
    client.say(wire::ping{.request = request_id{6}});
    CHECK(client.expect<wire::pong>().request == request_id{6});
    const auto told = client.expect<wire::primary_is>();
    CHECK(told.request == request_id{5});
    CHECK_FALSE(told.primary);
    CHECK(std::chrono::steady_clock::now() - asked_at >= 300ms);
}

TEST_CASE("C.0: a server without a cluster believes who logs in, and redirects to nobody",
          "[cluster]") {
    server_process server;
    raw_client client{server.port()};
    client.enter();
    wire::operation what{.request = request_id{7}};
    client.say(what);
    CHECK(client.expect<wire::operation_result>().code == result_code::unauthenticated);
    client.say(
        wire::login{.request = request_id{8}, .user = "ann", .device_name = "", .nonce = {}});
    CHECK(client.expect<wire::login_ok>().user == "ann");
    what.request = request_id{9};
    client.say(what);
    const auto away = client.expect<wire::redirect>();
    CHECK(away.request == request_id{9});
    CHECK_FALSE(away.primary);
    client.say(wire::admin{.request = request_id{10}});
    CHECK(client.expect<wire::error_reply>().code == result_code::forbidden);

    // What was asked is answered although nothing more will be said.
    client.say(wire::whois{.request = request_id{11}, .wait = 100ms});
    client.end_sending();
    CHECK(client.expect<wire::primary_is>().request == request_id{11});
    client.expect_end();
}
