#include "cluster/good_client.hpp"
#include "cluster/raw_client.hpp"
#include "cluster/server_process.hpp"

#include <catch2/catch_all.hpp>

#include <csignal>
#include <filesystem>

using namespace almenara;
using namespace almenara::test;

TEST_CASE("a stop answers what was asked before it, says goodbye and ends with 0 (S27)") {
    const int signal = GENERATE(SIGTERM, SIGINT);
    constexpr std::uint32_t questions = 1000; // More than the server reads at a time.
    temporary_directory home;
    for (const int round : {1, 2}) {
        CAPTURE(signal, round);
        server_process server{{.data_dir = home / "data"}};
        raw_client inside{server.port()};
        inside.enter();
        client_inside library{server.address()};
        raw_client at_the_door{server.port()};
        raw_client silent{server.port()};

        // Questions and the signal wait together for a server that stands still: whatever it looks
        // at first, the questions came first.
        server.freeze();
        for (std::uint32_t number = 1; number <= questions; ++number) {
            inside.say(wire::ping{request_id{number}});
        }
        library.begin_ping();
        at_the_door.send("\x01");
        server.child().send(signal);
        server.thaw();

        for (std::uint32_t number = 1; number <= questions; ++number) {
            CHECK(inside.expect<wire::pong>().request == request_id{number});
        }
        const auto goodbye = inside.expect<wire::bye>();
        CHECK(goodbye.reason == wire::bye_reason::stopping);
        CHECK(goodbye.retry_after > std::chrono::milliseconds{0});
        inside.expect_end();
        inside.close();

        static_cast<void>(value_of(library.finish_ping()));
        eventually([&] { return !library.is_inside(); }, "the library hears the goodbye");
        for (raw_client* const guest : {&at_the_door, &silent}) {
            CHECK(guest->expect<wire::reject>().code == wire::reject_code::stopping);
            guest->expect_end();
            guest->close();
        }

        CHECK(server.child().wait() == good_exit);
        CHECK(server.times_logged("stopping; 2 clients are told") == 1);
        CHECK(server.times_logged("server 1 has stopped") == 1);
        CHECK_FALSE(std::filesystem::exists(server.admin_socket()));
    }
}

TEST_CASE("a stop closes the door at once") {
    server_process server;
    raw_client does_not_hang_up{server.port()};
    does_not_hang_up.enter();
    server.child().send(SIGTERM);
    CHECK(does_not_hang_up.expect<wire::bye>().reason == wire::bye_reason::stopping);
    CHECK_FALSE(server.child().has_ended());
    CHECK_FALSE(can_connect(server.port()));
}

TEST_CASE("a client that does not hang up delays a stop for a few seconds only (S27)") {
    server_process server;
    raw_client does_not_hang_up{server.port()};
    does_not_hang_up.enter();
    server.child().send(SIGTERM);
    CHECK(server.child().wait(std::chrono::seconds{10}) == good_exit);
    CHECK(does_not_hang_up.expect<wire::bye>().reason == wire::bye_reason::stopping);
}

TEST_CASE("a second signal ends a stop that takes its time") {
    const int second = GENERATE(SIGTERM, SIGINT);
    CAPTURE(second);
    server_process server;
    raw_client does_not_hang_up{server.port()};
    does_not_hang_up.enter();
    server.child().send(SIGTERM);
    server.wait_for_log("SIGTERM: stopping; 1 clients are told");
    server.child().send(second);
    CHECK(server.child().wait() == exit_status{.code = 1});
    CHECK(server.times_logged("again: leaving at once") == 1);
    CHECK(server.times_logged("has stopped") == 0);
}

TEST_CASE("those inside keep their connection through a reload") {
    server_process server;
    client_inside client{server.address()};
    client.begin_ping();
    server.child().send(SIGHUP);
    static_cast<void>(value_of(client.finish_ping()));
    server.wait_for_log("SIGHUP: configuration read again");
    client.check_answers();
}
