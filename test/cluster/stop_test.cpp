#include "cluster/cluster.hpp"
#include "cluster/good_client.hpp"
#include "cluster/raw_client.hpp"
#include "cluster/server_process.hpp"
#include "net/clock.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <vector>

using namespace almenara;
using namespace almenara::test;

namespace {

namespace kv = services::kv;

/// So much that it takes a moment to bring what is in memory into files.
void write_much(server_process& server) {
    constexpr std::uint64_t operations = 200;
    constexpr std::uint64_t at_once = 20;
    constexpr std::size_t value_size = std::size_t{256} << 10U;
    server.wait_for_log("office_taken");
    raw_client writer{server.port()};
    writer.enter();
    writer.say(wire::login{
        .request = request_id{1}, .user = "ann", .device_name = "", .nonce = open_nonce{}});
    const session_id session = writer.expect_answer<wire::login_ok>().session.value();
    writer.say(wire::attach{.request = request_id{2}, .session = session});
    static_cast<void>(writer.expect_answer<wire::attached>());
    for (std::uint64_t first = 1; first <= operations; first += at_once) {
        for (std::uint64_t seq = first; seq < first + at_once; ++seq) {
            const kv::put what{.key = std::to_string(seq), .value = base::byte_vector(value_size)};
            writer.say(wire::operation{.request = request_id{static_cast<std::uint32_t>(seq + 2)},
                                       .session = session,
                                       .seq = sequence{seq},
                                       .first_unacked = sequence{first},
                                       .body = services::body_of<kv::kv_messages>(what)});
        }
        for (std::uint64_t seq = first; seq < first + at_once; ++seq) {
            CHECK(writer.expect_answer<wire::operation_result>().code == wire::result_code::ok);
        }
    }
}

} // namespace

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

TEST_CASE("S27: a stop answers more than one turn's share of what was asked before it") {
    constexpr std::uint32_t questions = 200; // Fewer than may be unanswered.
    server_process server;
    std::vector<raw_client> crowd;
    for (int count = 0; count < 8; ++count) {
        crowd.emplace_back(server.port()).enter();
    }
    server.freeze();
    for (raw_client& client : crowd) {
        for (std::uint32_t number = 1; number <= questions; ++number) {
            client.say(wire::login{
                .request = request_id{number + 1}, .user = "ann", .device_name = "", .nonce = {}});
        }
    }
    server.child().send(SIGTERM);
    server.thaw();
    for (raw_client& client : crowd) {
        for (std::uint32_t number = 1; number <= questions; ++number) {
            CHECK(client.expect<wire::login_ok>().request == request_id{number + 1});
        }
        CHECK(client.expect<wire::bye>().reason == wire::bye_reason::stopping);
        client.expect_end();
        client.close();
    }
    CHECK(server.child().wait() == good_exit);
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
    const auto begin = test_clock::now();
    server.child().send(SIGTERM);
    CHECK(server.child().wait(std::chrono::seconds{10}) == good_exit);
    // B.10.6: the process is over by then.
    CHECK(test_clock::now() - begin < std::chrono::seconds{3});
    CHECK(does_not_hang_up.expect<wire::bye>().reason == wire::bye_reason::stopping);
}

TEST_CASE("S27: a server that stands still until the time for its stop is over ends with 0") {
    cluster servers;
    servers.start_all();
    const auto before = servers.wait_until_in_sync();
    for (const server_id other : servers.others_than(before.primary)) {
        servers.pause(other); // Nobody takes the office over as long as it is awake.
    }
    server_process& stops = servers.at(before.primary);
    stops.child().send(SIGTERM);
    stops.wait_for_log("SIGTERM: stopping");
    const instant over = net::monotonic_now() + std::chrono::milliseconds{2100};
    servers.pause(before.primary);
    for (const server_id other : servers.others_than(before.primary)) {
        servers.resume(other);
    }
    servers.wait_for_primary(before.epoch);
    eventually([&] { return net::monotonic_now() > over; }, "the time for the stop is over");
    // In one turn it hears that somebody else rules, and that it is late.
    servers.resume(before.primary);
    CHECK(stops.child().wait() == good_exit);
}

TEST_CASE("S27: those inside hear a goodbye although nobody takes over") {
    cluster servers;
    servers.start_all();
    const auto before = servers.wait_until_in_sync();
    server_process& stops = servers.at(before.primary);
    raw_client inside{stops.port()};
    inside.enter();
    for (const server_id other : servers.others_than(before.primary)) {
        servers.pause(other);
    }
    stops.child().send(SIGTERM);
    CHECK(inside.expect_answer<wire::bye>().reason == wire::bye_reason::stopping);
    inside.expect_end();
    inside.close();
    CHECK(stops.child().wait() == good_exit);
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

TEST_CASE("B.10: no signal hurts the last part of a stop") {
    const int late = GENERATE(SIGHUP, SIGUSR1, SIGTERM);
    CAPTURE(late);
    server_process server{{.arguments = {"-p"}}};
    write_much(server);
    server.child().send(SIGTERM);
    server.wait_for_log("server 1 has stopped");
    // It still writes what is in memory into files, or is gone already.
    server.child().send(late);
    const exit_status end = server.child().wait();
    CHECK(end.signal == 0);
    CHECK((end == good_exit || (late == SIGTERM && end.code == 1)));
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
