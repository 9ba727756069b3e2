#include "client/connection.hpp"

#include "net/clock.hpp"
#include "net/spawn.hpp"
#include "support/temporary_directory.hpp"
#include "unit/client/little_server.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace almenara;
using namespace std::chrono_literals;
using client::failure_kind;
namespace asio = boost::asio;

namespace {

instant in(duration time) {
    return net::monotonic_now() + time;
}

client::connection_options plain() {
    return {.client_name = "test 1", .plaintext = true};
}

client::server_address at(const std::string& text) {
    return client::parse_server_address(text).value();
}

/// A port of this machine on which nobody listens.
std::uint16_t deserted_port() {
    asio::io_context context;
    asio::ip::tcp::acceptor once{context, {asio::ip::address_v4::loopback(), 0}};
    return once.local_endpoint().port();
}

/// What open() says about an address.
client::failure failure_of_opening(test::stage& stage,
                                   client::server_address where,
                                   client::connection_options options = plain(),
                                   duration within = 5s) {
    std::optional<client::failure> why;
    stage.play([&]() -> asio::awaitable<void> {
        client::connection connection{stage.context.get_executor(), options};
        const auto opened = co_await connection.open(where, in(within));
        REQUIRE(opened.has_error());
        why = opened.error();
    });
    return why.value();
}

/// Lets everything run that is ready to run.
asio::awaitable<void> let_others_run() {
    for (int i = 0; i < 20; ++i) {
        co_await asio::post(asio::use_awaitable);
    }
}

} // namespace

TEST_CASE("a connection is opened, asked and closed in good order") {
    test::stage stage;
    stage.play([&]() -> asio::awaitable<void> {
        client::connection connection{stage.context.get_executor(), plain()};
        const auto where = at(stage.server.address());
        const auto opened = co_await connection.open(where, in(5s));
        REQUIRE(opened.has_value());
        CHECK(opened->server == server_id{1});
        CHECK(connection.is_open());
        CHECK(connection.peer() == stage.server.address());

        const auto pong = co_await connection.ping(in(5s));
        REQUIRE(pong.has_value());
        CHECK(pong->server == server_id{1});
        const auto status = co_await connection.status(in(5s));
        REQUIRE(status.has_value());
        CHECK(status->servers.size() == 1);

        co_await connection.close();
        CHECK_FALSE(connection.is_open());
        const auto& heard = stage.server.last_visitor().heard();
        REQUIRE(heard.size() == 4);
        CHECK(std::get<wire::c_hello>(heard.front()).client_name == "test 1");
        CHECK(std::get<wire::bye>(heard.back()).reason == wire::bye_reason::done);

        const auto too_late = co_await connection.ping(in(5s));
        CHECK(too_late.error().kind == failure_kind::cancelled);
    });
}

TEST_CASE("a Unix socket needs no leave to go without TLS") {
    const test::temporary_directory directory;
    test::stage stage;
    stage.server.listen_on(directory / "admin.sock");
    stage.play([&]() -> asio::awaitable<void> {
        client::connection connection{stage.context.get_executor(), {.client_name = "test"}};
        const auto where = at("unix:" + directory / "admin.sock");
        const auto opened = co_await connection.open(where, in(5s));
        REQUIRE(opened.has_value());
        CHECK(connection.peer() == "unix:" + directory / "admin.sock");
        co_await connection.close();
    });
}

TEST_CASE("where nobody listens the failure says so and names the addresses") {
    const test::temporary_directory directory;
    test::stage stage;
    std::string where;
    SECTION("TCP") {
        where = "127.0.0.1:" + std::to_string(deserted_port());
    }
    SECTION("a Unix socket that does not exist") {
        where = "unix:" + directory / "nothing.sock";
    }
    const auto why = failure_of_opening(stage, at(where));
    CHECK(why.kind == failure_kind::refused);
    CHECK(why.why == "nobody listens at " + where);
    CHECK(why.tried == std::vector{where});
    CHECK(why.cause);
}

TEST_CASE("all addresses of a name are tried") {
    test::stage stage;
    stage.play([&]() -> asio::awaitable<void> {
        // localhost may be ::1 as well, where the little server does not listen.
        client::connection connection{stage.context.get_executor(), plain()};
        const auto where = at("localhost:" + std::to_string(stage.server.port()));
        const auto opened = co_await connection.open(where, in(5s));
        REQUIRE(opened.has_value());
        CHECK(connection.peer() == stage.server.address());
        co_await connection.close();
    });
}

TEST_CASE("without TLS nothing leaves this machine") {
    test::stage stage;
    SECTION("not by default") {
        const std::string address = stage.server.address();
        const auto why = failure_of_opening(stage, at(address), {});
        CHECK(why.kind == failure_kind::not_allowed);
        CHECK(why.why == address + " is reached over TCP, and this version has no TLS yet: add "
                                   "--plaintext (loopback addresses only)");
    }
    SECTION("not to another machine") {
        const auto why = failure_of_opening(stage, at("192.0.2.1:7400"));
        CHECK(why.kind == failure_kind::not_allowed);
        CHECK(why.tried.empty());
    }
    CHECK(stage.server.visits() == 0);
}

TEST_CASE("a rejection comes back from open() with the time to wait") {
    test::stage stage;
    stage.server.behave = [](test::visitor& client, const test::client_message&) {
        client.say(wire::reject{.code = wire::reject_code::full, .retry_after = 2s});
        client.hang_up();
    };
    const std::string address = stage.server.address();
    const auto why = failure_of_opening(stage, at(address));
    CHECK(why.kind == failure_kind::rejected);
    CHECK(why.reject == wire::reject_code::full);
    CHECK(why.retry_after == 2s);
    CHECK(why.tried == std::vector{address});
}

TEST_CASE("a server that says nothing is given up when the time is over") {
    test::stage stage;
    stage.server.behave = [](test::visitor&, const test::client_message&) {};
    const auto why = failure_of_opening(stage, at(stage.server.address()), plain(), 20ms);
    CHECK(why.kind == failure_kind::timed_out);
}

TEST_CASE("something that is not an Almenara server is recognised") {
    test::stage stage;
    stage.server.behave = [](test::visitor& client, const test::client_message&) {
        client.send(base::as_bytes("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
        client.hang_up();
    };
    const auto why = failure_of_opening(stage, at(stage.server.address()));
    CHECK(why.kind == failure_kind::broken_rules);
}

TEST_CASE("a request that is not answered fails alone, in time") {
    test::stage stage;
    stage.server.behave = [](test::visitor& client, const test::client_message& message) {
        if (!std::holds_alternative<wire::status_request>(message)) {
            test::polite(client, message);
        }
    };
    stage.play([&]() -> asio::awaitable<void> {
        client::connection connection{stage.context.get_executor(), plain()};
        const auto where = at(stage.server.address());
        const auto opened = co_await connection.open(where, in(1h));
        REQUIRE(opened.has_value());
        // Were the timer left at the deadline of open(), the story would take too long.
        const auto status = co_await connection.status(in(20ms));
        CHECK(status.error().kind == failure_kind::timed_out);
        const auto pong = co_await connection.ping(in(5s));
        CHECK(pong.has_value());
        co_await connection.close();
    });
}

TEST_CASE("many may ask at once, and answers come in whatever order") {
    constexpr int askers = 50;
    test::stage stage;
    std::vector<request_id> waiting;
    stage.server.behave = [&waiting](test::visitor& client, const test::client_message& message) {
        const auto* const ping = std::get_if<wire::ping>(&message);
        if (ping == nullptr) {
            test::polite(client, message);
            return;
        }
        waiting.push_back(ping->request);
        if (waiting.size() == askers) {
            std::reverse(waiting.begin(), waiting.end());
            for (const request_id request : waiting) {
                // The index says which request it answers.
                client.say(wire::pong{.request = request, .index = log_index{request.value()}});
            }
        }
    };
    stage.play([&]() -> asio::awaitable<void> {
        client::connection connection{stage.context.get_executor(), plain()};
        const auto where = at(stage.server.address());
        const auto opened = co_await connection.open(where, in(5s));
        REQUIRE(opened.has_value());
        std::vector<std::uint64_t> answers;
        const auto ask = [&]() -> asio::awaitable<void> {
            const auto pong = co_await connection.ping(in(5s));
            REQUIRE(pong.has_value());
            answers.push_back(pong->index.value());
        };
        for (int i = 0; i < askers; ++i) {
            net::spawn(stage.context.get_executor(), "asker", ask());
        }
        while (answers.size() < askers) {
            co_await let_others_run();
        }
        CHECK(std::is_sorted(answers.rbegin(), answers.rend()));
        co_await connection.close();
    });
}

TEST_CASE("a goodbye of the server reaches who waits") {
    test::stage stage;
    stage.server.behave = [](test::visitor& client, const test::client_message& message) {
        if (std::holds_alternative<wire::ping>(message)) {
            client.say(wire::bye{.reason = wire::bye_reason::stopping});
            client.hang_up();
        } else {
            test::polite(client, message);
        }
    };
    stage.play([&]() -> asio::awaitable<void> {
        client::connection connection{stage.context.get_executor(), plain()};
        const auto where = at(stage.server.address());
        const auto opened = co_await connection.open(where, in(5s));
        REQUIRE(opened.has_value());
        const auto pong = co_await connection.ping(in(5s));
        CHECK(pong.error().kind == failure_kind::closed);
        CHECK(pong.error().bye == wire::bye_reason::stopping);
        const auto late = co_await connection.status(in(5s));
        CHECK(late.error().bye == wire::bye_reason::stopping);
        co_await connection.close();
    });
}

TEST_CASE("giving up ends whatever is under way") {
    test::stage stage;
    bool lets_in = false;
    stage.server.behave = [&lets_in](test::visitor& client, const test::client_message& message) {
        if (lets_in && std::holds_alternative<wire::c_hello>(message)) {
            test::polite(client, message);
        }
    };
    std::optional<failure_kind> opening;
    std::optional<failure_kind> asking;
    std::optional<client::connection> connection;
    const auto use = [&]() -> asio::awaitable<void> {
        const auto where = at(stage.server.address());
        const auto opened = co_await connection->open(where, in(5s));
        if (!opened) {
            opening = opened.error().kind;
            co_return;
        }
        const auto pong = co_await connection->ping(in(5s));
        asking = pong.error().kind;
    };
    const auto heard = [&stage](std::size_t messages) {
        return stage.server.visits() > 0 && stage.server.last_visitor().heard().size() >= messages;
    };
    const auto play = [&](std::function<bool()> is_under_way, std::function<void()> end) {
        stage.play([&]() -> asio::awaitable<void> {
            connection.emplace(stage.context.get_executor(), plain());
            net::spawn(stage.context.get_executor(), "user", use());
            do {
                co_await asio::post(asio::use_awaitable);
            } while (!is_under_way());
            end();
            co_await let_others_run();
        });
    };
    const auto give_up = [&connection] { connection->give_up(); };
    SECTION("while it dials") {
        play([] { return true; }, give_up);
        CHECK(opening == failure_kind::cancelled);
    }
    SECTION("while it waits for the welcome") {
        play([&] { return heard(1); }, give_up);
        CHECK(opening == failure_kind::cancelled);
    }
    SECTION("while it waits for an answer") {
        lets_in = true;
        play([&] { return heard(2); }, give_up);
        CHECK(asking == failure_kind::cancelled);
    }
    SECTION("by destroying it") {
        lets_in = true;
        play([&] { return heard(2); }, [&] { connection.reset(); });
        CHECK(asking == failure_kind::cancelled);
    }
}

TEST_CASE("a server that does not hang up behind a goodbye is not waited for") {
    test::stage stage;
    stage.server.behave = [](test::visitor& client, const test::client_message& message) {
        if (std::holds_alternative<wire::bye>(message)) {
            client.stop_listening();
        } else {
            test::polite(client, message);
        }
    };
    stage.play([&]() -> asio::awaitable<void> {
        auto options = plain();
        options.longest_goodbye = 20ms;
        client::connection connection{stage.context.get_executor(), options};
        const auto where = at(stage.server.address());
        const auto opened = co_await connection.open(where, in(5s));
        REQUIRE(opened.has_value());
        const instant before = net::monotonic_now();
        co_await connection.close();
        CHECK(net::monotonic_now() - before >= 20ms);
    });
}

TEST_CASE("a server that talks and does not listen fills nobody's memory") {
    constexpr std::size_t questions = 40'000;
    const test::temporary_directory directory;
    test::stage stage;
    // A Unix socket: what the system keeps of it for us is small.
    stage.server.listen_on(directory / "chatty.sock");
    stage.play([&]() -> asio::awaitable<void> {
        client::connection connection{stage.context.get_executor(), {.client_name = "test"}};
        const auto where = at("unix:" + directory / "chatty.sock");
        const auto opened = co_await connection.open(where, in(5s));
        REQUIRE(opened.has_value());

        test::visitor& chatterbox = stage.server.last_visitor();
        chatterbox.stop_listening();
        base::byte_vector chatter;
        for (std::size_t i = 0; i < questions; ++i) {
            wire::append_message<wire::client_messages>(wire::ping{}, chatter);
        }
        chatterbox.send(chatter);
        std::size_t before = 0;
        for (int quiet = 0; quiet < 100; ++quiet) {
            if (std::exchange(before, chatterbox.unsent()) != chatterbox.unsent()) {
                quiet = 0;
            }
            co_await let_others_run();
        }
        CHECK(chatterbox.unsent() > 0);

        chatterbox.listen_again();
        const auto all_answered = [&] { return chatterbox.heard().size() == questions + 1; };
        while (!all_answered()) {
            co_await let_others_run();
        }
        co_await connection.close();
    });
}

TEST_CASE("server addresses") {
    CHECK(to_string(at("127.0.0.1:7401")) == "127.0.0.1:7401");
    CHECK(to_string(at("localhost")) == "localhost:7400");
    CHECK(to_string(at("[::1]:7401")) == "[::1]:7401");
    CHECK(std::get<client::unix_path>(at("unix:/run/a b/admin.sock")).path ==
          "/run/a b/admin.sock");
    for (const std::string text : {"", ":7400", "host:port", "host:0", "host:65536", "[::1", "a b",
                                   "unix:", "1.2.3.4:7400:7401"}) {
        INFO("address '" << text << "'");
        const auto parsed = client::parse_server_address(text);
        REQUIRE(parsed.has_error());
        CHECK(parsed.error().code == errc::invalid);
    }
    CHECK(client::parse_server_address("unix:/" + std::string(200, 'x')).has_error());
}
