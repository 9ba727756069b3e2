#include "cluster/good_client.hpp"
#include "cluster/raw_client.hpp"
#include "cluster/server_process.hpp"
#include "support/bytes.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <sys/resource.h>

using namespace almenara;
using namespace almenara::test;
using namespace std::chrono_literals;

namespace {

/// As many descriptors as this process may have; connections need one each at both ends.
std::size_t raise_own_descriptors() {
    ::rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return limit.rlim_max;
}

std::vector<handle> silent_connections(const server_process& server,
                                       std::size_t count,
                                       std::size_t addresses = 16) {
    std::vector<handle> all;
    for (std::size_t number = 0; number < count; ++number) {
        const std::string from = "127.0.0." + std::to_string(1 + number % addresses);
        all.push_back(begin_connecting(server.port(), from));
    }
    return all;
}

} // namespace

TEST_CASE("B.2: who begins as a server and says no more takes few descriptors, and none for long",
          "[cluster]") {
    constexpr std::size_t most_strangers = 64;
    server_process server{{.arguments = {"-p"}}}; // Alone: it says nothing to other servers.
    client_inside inside{server.address()};
    // The server's own files come and go: what it needs behind a founding is open a little later.
    constexpr std::size_t own_files = 16;
    const std::size_t descriptors_before = server.open_descriptors() + own_files;
    {
        std::vector<raw_client> strangers;
        for (int count = 0; count < 200; ++count) {
            strangers.emplace_back(server.port());
            strangers.back().send(from_hex("64000000 0101")); // A frame of 104 bytes, a HELLO.
        }
        // Each made the oldest go, and is the last one there.
        eventually([&] { return strangers[135].has_news(); }, "the 136th makes room");
        inside.check_answers();
        CHECK(strangers.front().has_news());
        CHECK_FALSE(strangers[136].has_news());
        CHECK(server.open_descriptors() <= descriptors_before + most_strangers);
    }
    eventually([&] { return server.open_descriptors() <= descriptors_before; },
               "the strangers' descriptors are free");
    // One by one they leave nothing behind either.
    const std::size_t memory_before = server.memory_kib();
    for (int count = 0; count < 5'000; ++count) {
        raw_client passing{server.port()};
        passing.send(from_hex("64000000 0101"));
    }
    inside.check_answers();
    eventually([&] { return server.open_descriptors() <= descriptors_before; },
               "the last of them is gone");
    constexpr std::size_t kib_for_all = std::size_t{4} << 10U;
    CHECK(server.memory_kib() < memory_before + kib_for_all * memory_factor);
}

TEST_CASE("10,000 connections that say nothing harm nobody who speaks") {
    constexpr std::size_t crowd_size = 10'000;
    constexpr std::size_t spare = 1'000;
    if (raise_own_descriptors() < crowd_size + spare) {
        WARN("skipped: this machine allows too few descriptors");
        return;
    }
    server_process server;
    client_inside inside{server.address()};
    const std::size_t descriptors_before = server.open_descriptors();
    const std::size_t memory_before = server.memory_kib();

    std::vector<handle> crowd =
        silent_connections(server, crowd_size, GENERATE(std::size_t{1}, std::size_t{16}));
    inside.check_answers();
    std::unique_ptr<good_client> newcomer;

    std::size_t most_descriptors = 0;
    std::size_t most_memory_kib = 0;
    const auto look = [&] {
        inside.check_answers();
        most_descriptors = std::max(most_descriptors, server.open_descriptors());
        most_memory_kib = std::max(most_memory_kib, server.memory_kib());
    };
    // While the server is late it asks newcomers to come back; a good one does.
    const auto newcomer_is_in = [&] {
        look();
        if (newcomer == nullptr) {
            newcomer = std::make_unique<good_client>(server.address(), "newcomer");
            newcomer->begin_entering();
        }
        if (newcomer->entering_is_decided() && !newcomer->is_inside()) {
            newcomer.reset();
        }
        return newcomer != nullptr && newcomer->is_inside();
    };
    eventually(newcomer_is_in, "a newcomer gets in, in spite of the crowd");
    CHECK(server.open_descriptors() > descriptors_before + 1);

    // All of them really came, not only those whom the kernel's queue took at first.
    eventually(
        [&] {
            look();
            CHECK(newcomer->is_inside());
            return std::all_of(crowd.begin(), crowd.end(), is_connected);
        },
        2 * patience, "the whole crowd is connected");
    eventually(
        [&] {
            look();
            CHECK(newcomer->is_inside());
            return server.open_descriptors() <= descriptors_before + 1;
        },
        2 * patience, "the crowd is gone again");
    CAPTURE(most_descriptors, most_memory_kib, memory_before);
    constexpr std::size_t door = 4096;
    CHECK(most_descriptors > door / 2);
    CHECK(most_descriptors <= descriptors_before + door + 16);
    // A connection that says nothing costs no buffer.
    constexpr std::size_t kib_for_each = 12 * memory_factor;
    CHECK(most_memory_kib < memory_before + door * kib_for_each);

    inside.check_answers();
    static_cast<void>(value_of(newcomer->ping()));
    CHECK(server.times_logged("it said nothing") < crowd_size);
}

TEST_CASE("300 clients behind one router all get in where descriptors are few (F, 003)") {
    // So the door has 256 places: the last ones stand in the kernel's queue at first.
    constexpr std::size_t descriptors = 1024;
    constexpr std::size_t household = 300;
    server_process server{{.descriptors = descriptors}};
    std::vector<raw_client> clients;
    for (std::size_t count = 0; count < household; ++count) {
        clients.emplace_back(server.port());
    }
    for (raw_client& client : clients) {
        client.say_hello();
    }
    for (raw_client& client : clients) {
        static_cast<void>(client.expect<wire::welcome>());
    }
    CHECK(server.times_logged("ended badly") + server.times_logged("it said nothing") == 0);
}

TEST_CASE("a server without descriptors serves those inside, and accepts again when it can") {
    if (is_sanitized) {
        WARN("skipped: without descriptors the sanitizer takes good objects for bad ones");
        return;
    }
    // Fewer than the door holds: the server cannot know and finds out at accept().
    const std::size_t own = server_process{}.open_descriptors();
    const std::size_t descriptors = own + 11;
    server_process server{{.descriptors = descriptors}};
    client_inside inside{server.address()};
    std::vector<handle> crowd = silent_connections(server, descriptors);
    server.wait_for_log("cannot accept: Too many open files. Those inside are served; others wait");
    inside.check_answers();

    // Whoever comes now waits in the queue of the kernel.
    good_client waiting{server.address()};
    waiting.begin_entering();
    inside.check_answers();
    CHECK_FALSE(waiting.entering_is_decided());

    crowd.clear();
    server.wait_for_log("accepting again");
    eventually(
        [&] {
            inside.check_answers();
            return waiting.entering_is_decided();
        },
        "the one who waited is heard");
    inside.check_answers();
}
