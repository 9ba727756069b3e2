#include "cluster/good_client.hpp"
#include "cluster/raw_client.hpp"
#include "cluster/server_process.hpp"
#include "support/bytes.hpp"
#include "support/lines.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::test;
using namespace std::chrono_literals;
using wire::bye_reason;

namespace {

base::byte_vector good_hello() {
    return bytes_of(wire::c_hello{.request = request_id{1}, .client_name = "half"});
}

/// The first bytes of a good hello, and no more.
base::byte_vector half_a_hello() {
    base::byte_vector bytes = good_hello();
    bytes.resize(bytes.size() / 2);
    return bytes;
}

base::byte_vector as_bytes(std::string_view text) {
    const auto bytes = std::as_bytes(std::span{text});
    return {bytes.begin(), bytes.end()};
}

/// The length of a frame that is far too long for somebody nobody knows.
base::byte_vector oversize_frame() {
    return from_hex("00001000 0102");
}

base::byte_vector damaged_hello() {
    return with_bit_flipped(good_hello(), 8 * (wire::header_size + 3));
}

struct misdeed {
    std::string name;
    base::byte_vector bytes;
    std::string complaint; ///< in the goodbye and in the log
};

/// The server ends the conversation with this goodbye, and says the same in its log.
void check_goodbye(server_process& server,
                   raw_client& client,
                   bye_reason reason,
                   const std::string& complaint) {
    const auto goodbye = client.expect<wire::bye>();
    CHECK(goodbye.reason == reason);
    CAPTURE(goodbye.text, complaint);
    CHECK(goodbye.text.find(complaint) != std::string::npos);
    client.expect_end();
    client.close();
    server.wait_for_log(complaint);
}

} // namespace

TEST_CASE("bytes that make no sense end the connection, with the reason on both sides") {
    const std::vector<misdeed> misdeeds{
        {"an oversize frame", oversize_frame(), "1048580 bytes are over the limit of 16384"},
        {"garbage", from_hex("ffffffff ffffffff ffffffff"), "bytes are over the limit of 16384"},
        {"an HTTP request", as_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
         "bytes are over the limit of 16384"},
        {"a damaged frame", damaged_hello(), "checksum"},
        {"a ping before the hello", bytes_of(wire::ping{}), "a ping before the hello"},
        {"a status request before the hello", bytes_of(wire::status_request{}),
         "a status request before the hello"},
        {"a server's word", bytes_of(plain_welcome(request_id{1})),
         "a client does not send welcome"},
    };
    server_process server;
    client_inside bystander{server.address()};
    for (const misdeed& what : misdeeds) {
        CAPTURE(what.name);
        raw_client client{server.port()};
        client.send(what.bytes);
        check_goodbye(server, client, bye_reason::broke_rules, what.complaint);
        bystander.check_answers();
    }
}

TEST_CASE("who is inside and says what makes no sense is sent away too") {
    server_process server;
    client_inside bystander{server.address()};
    const std::vector<misdeed> misdeeds{
        {"an oversize frame", oversize_frame(), "1048580 bytes are over the limit of 16384"},
        {"a second hello", good_hello(), "a second hello on the same connection"},
        {"a server's word", bytes_of(wire::status_reply{}), "a client does not send status_reply"},
    };
    for (const misdeed& what : misdeeds) {
        CAPTURE(what.name);
        raw_client client{server.port()};
        client.enter();
        client.send(what.bytes);
        check_goodbye(server, client, bye_reason::broke_rules, what.complaint);
        bystander.check_answers();
    }
    eventually([&] { return value_of(bystander.status()).clients == 1; }, "their places are free");
}

TEST_CASE("another version of the protocol is refused, and told which side to update") {
    server_process server;
    const auto [version, whom] =
        GENERATE(table<int, std::string>({{0, "Update the client"}, {2, "Update the server"}}));
    CAPTURE(version);
    raw_client client{server.port()};
    client.say(
        wire::c_hello{.request = request_id{5}, .protocol = static_cast<std::uint16_t>(version)});
    const auto refusal = client.expect<wire::reject>();
    CHECK(refusal.request == request_id{5});
    CHECK(refusal.code == wire::reject_code::protocol);
    CHECK(refusal.retry_after == 0ms);
    CHECK(refusal.text == "this server speaks protocol 1, the client protocol " +
                              std::to_string(version) + ". " + whom);
    client.expect_end();
    client.close();
    server.wait_for_log("rejected: this server speaks protocol 1");
}

TEST_CASE("who says nothing, or half a hello, is dropped after a while") {
    server_process server;
    client_inside bystander{server.address()};
    raw_client silent{server.port()};
    raw_client half{server.port()};
    half.send(half_a_hello());
    const auto answers_until = [&](raw_client& client) {
        eventually(
            [&] {
                bystander.check_answers();
                return client.has_news();
            },
            "the server loses its patience");
    };
    answers_until(silent);
    check_goodbye(server, silent, bye_reason::silent, "it said nothing");
    answers_until(half);
    check_goodbye(server, half, bye_reason::silent, "its hello did not come through in time");
}

TEST_CASE("who is inside and sends half a frame is dropped after a while") {
    server_process server;
    client_inside bystander{server.address()};
    raw_client half{server.port()};
    half.enter();
    half.send(half_a_hello());
    eventually(
        [&] {
            bystander.check_answers();
            return half.has_news();
        },
        "the server loses its patience");
    check_goodbye(server, half, bye_reason::too_slow, "a frame did not come through in time");
}

TEST_CASE("who asks and does not listen costs a bounded amount of memory, and is dropped") {
    server_process server;
    client_inside bystander{server.address()};
    const std::size_t memory_before = server.memory_kib();
    raw_client deaf{server.port()};
    deaf.enter("deaf");
    base::byte_vector many_questions;
    for (std::uint32_t number = 1; number <= 1000; ++number) {
        wire::append_message<wire::client_messages>(wire::status_request{request_id{number}},
                                                    many_questions);
    }
    // Until the server does not read any more: it waits for its answers to be taken.
    std::size_t taken = 0;
    while (const std::size_t more = deaf.send_some(
               base::byte_view{many_questions}.subspan(taken % many_questions.size()))) {
        taken += more;
        bystander.check_answers();
    }
    CHECK(taken > many_questions.size());
    constexpr std::size_t bound_kib = memory_factor * 16 * 1024;
    CHECK(server.memory_kib() < memory_before + bound_kib);

    eventually(
        [&] {
            bystander.check_answers();
            return server.times_logged("(\"deaf\"): it took nothing of") == 1;
        },
        "the server loses its patience");
    eventually([&] { return value_of(bystander.status()).clients == 1; }, "its place is free");
}

TEST_CASE("a client that says all it has to say and then only listens gets its answers") {
    server_process server;
    raw_client brief{server.port()};
    brief.say_hello();
    brief.say(wire::ping{request_id{2}});
    brief.end_sending();
    static_cast<void>(brief.expect<wire::welcome>());
    CHECK(brief.expect<wire::pong>().request == request_id{2});
    brief.expect_end();
}

TEST_CASE("half hellos of one address do not keep a good client of the same address out") {
    constexpr std::size_t bad_ones = 70; // 64 of one address are read at a time.
    server_process server;
    client_inside bystander{server.address()};
    std::vector<raw_client> half;
    for (std::size_t count = 0; count < bad_ones; ++count) {
        half.emplace_back(server.port());
        half.back().send(half_a_hello());
    }
    good_client waiting{server.address()};
    waiting.begin_entering();

    // They fill the places of their own address and not those of others.
    raw_client neighbour{server.port(), "127.0.0.2"};
    neighbour.enter();

    eventually(
        [&] {
            bystander.check_answers();
            return waiting.entering_is_decided();
        },
        "the good client is heard");
    CHECK(waiting.is_inside());
    // It did wait: its place is one that somebody had to leave.
    server.wait_for_log("its hello did not come through in time");
    static_cast<void>(value_of(waiting.ping()));
}

TEST_CASE("a flood of bad clients does not flood the log") {
    constexpr int bad_ones = 500;
    constexpr std::size_t lines_per_second = 10;
    server_process server;
    client_inside bystander{server.address()};
    const auto begin = test_clock::now();
    for (int count = 0; count < bad_ones; ++count) {
        raw_client bad{server.port()};
        bad.send(oversize_frame());
        static_cast<void>(bad.expect<wire::bye>());
    }
    bystander.check_answers();
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(test_clock::now() - begin).count();
    CHECK(server.times_logged("over the limit") <=
          lines_per_second * (static_cast<std::size_t>(seconds) + 2));

    // The next line that fits says how many were left out.
    eventually(
        [&] {
            raw_client bad{server.port()};
            bad.send(oversize_frame());
            static_cast<void>(bad.expect<wire::bye>());
            return server.times_logged("more connections ended badly") > 0;
        },
        "the log says that lines are missing");
}

TEST_CASE("a flood of lies does not flood the log, nor the journal", "[cluster]") {
    constexpr std::uint32_t lies = 5'000;
    constexpr std::uint32_t at_once = 100;
    constexpr std::size_t lines_per_second = 10;
    server_process server{{.arguments = {"-p"}}}; // Alone, and primary of itself.
    server.wait_for_log("office_taken");
    raw_client liar{server.port()};
    liar.enter();
    liar.say(wire::login{.request = request_id{2}, .user = "ann", .device_name = "", .nonce = {}});
    static_cast<void>(liar.expect_answer<wire::login_ok>());
    const auto begin = test_clock::now();
    for (std::uint32_t number = 0; number < lies; number += at_once) {
        for (std::uint32_t more = 0; more < at_once; ++more) {
            liar.say(wire::read{.request = request_id{3 + number + more},
                                .epoch_seen = epoch{std::uint64_t{1} << 60U},
                                .body = {}});
        }
        for (std::uint32_t more = 0; more < at_once; ++more) {
            static_cast<void>(liar.expect_answer<wire::read_result>());
        }
    }
    server.wait_for_log(" more\n");
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(test_clock::now() - begin).count();
    const std::size_t most = (lines_per_second + 1) * (static_cast<std::size_t>(seconds) + 2);
    CHECK(server.times_logged("foreign_message: a client says") > 0);
    CHECK(server.times_logged("foreign_message: ") <= most);
    CHECK(server.stop() == good_exit);
    const auto journal = lines_of(content_of(server.data_dir() + "/journal/00000001.ndjson"));
    const auto told_of = [&](const std::string& event) {
        return static_cast<std::size_t>(
            std::count_if(journal.begin(), journal.end(), [&](const std::string& line) {
                return line.find("\"event\":\"" + event) != std::string::npos;
            }));
    };
    CHECK(told_of("foreign_message") > 0);
    CHECK(told_of("foreign_message") <= most);
    CHECK(told_of("office_taken") == 1);
}
