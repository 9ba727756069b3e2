#include "cluster/cluster.hpp"
#include "cluster/raw_client.hpp"
#include "cluster/server_process.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace almenara;
using namespace almenara::test;
using namespace std::chrono_literals;

// B.12.3 with real processes: how a cluster begins, and that it goes on.

namespace {

constexpr server_id one{1};
constexpr server_id two{2};
constexpr server_id three{3};

server_process start_of(const cluster& all, server_id who, std::vector<std::string> words) {
    return server_process{{.arguments = std::move(words), .data_dir = all.data_dir(who)}};
}

std::optional<cluster_id> cluster_of(const cluster& all, server_id who) {
    const auto told = all.status(who);
    return told ? told->cluster : std::nullopt;
}

base::byte_vector bytes(std::string_view text) {
    const base::byte_view all = base::as_bytes(text);
    return {all.begin(), all.end()};
}

/// A client with a session at one server, byte by byte.
class writer {
  public:
    explicit writer(std::uint16_t port) : line_(port) {
        line_.enter();
        line_.say(wire::login{.request = request_id{++requests_},
                              .user = "anna",
                              .device_name = "test",
                              .nonce = open_nonce{}});
        session_ = *hears<wire::login_ok>().session;
        line_.say(wire::attach{.request = request_id{++requests_},
                               .session = session_,
                               .next = sequence{1},
                               .first_unacked = sequence{1}});
        static_cast<void>(hears<wire::attached>());
    }

    wire::operation_result does(base::byte_vector body) {
        last_ = last_.next();
        line_.say(wire::operation{.request = request_id{++requests_},
                                  .session = session_,
                                  .seq = last_,
                                  .first_unacked = last_,
                                  .body = std::move(body)});
        return hears<wire::operation_result>();
    }
    wire::read_result asks(base::byte_vector body) {
        line_.say(wire::read{.request = request_id{++requests_}, .body = std::move(body)});
        return hears<wire::read_result>();
    }

  private:
    template <class Message>
    Message hears() {
        return line_.expect_answer<Message>();
    }

    raw_client line_;
    session_id session_;
    sequence last_;
    std::uint32_t requests_ = 100;
};

} // namespace

TEST_CASE("B.12.3: three servers of a list elect a primary; killed, it is followed by another") {
    cluster all;
    all.start_all();
    const cluster::office first = all.wait_until_in_sync();
    CHECK(first.epoch == epoch{2});
    for (const server_id id : all.ids()) {
        eventually([&] { return all.status(id)->primary == first.primary; }, "all know it");
    }
    all.kill({first.primary});
    const cluster::office second = all.wait_for_primary(first.epoch);
    CHECK(second.primary != first.primary);
    all.start(first.primary);
    CHECK(all.wait_until_in_sync().primary == second.primary);
}

TEST_CASE("C.1: what a client writes is confirmed by all three and found at the next primary") {
    namespace kv = services::kv;
    cluster all;
    all.start_all();
    const cluster::office first = all.wait_until_in_sync();
    writer client{all.at(first.primary).port()};
    const auto put = services::body_of<kv::kv_messages>(kv::put{.key = "a", .value = bytes("1")});
    const wire::operation_result done = client.does(put);
    CHECK(done.code == wire::result_code::ok);
    CHECK(done.epoch == first.epoch);
    CHECK(done.durable_on == 3);
    CHECK(done.voters == 3);

    all.kill({first.primary});
    const cluster::office second = all.wait_for_primary(first.epoch);
    writer other{all.at(second.primary).port()};
    const auto get = services::body_of<kv::kv_messages>(kv::get{.key = "a"});
    const wire::read_result found = other.asks(get);
    REQUIRE(found.code == wire::result_code::ok);
    CHECK(found.index >= done.index);
    const auto value = services::message_in<kv::kv_messages, kv::value>(found.body);
    REQUIRE(value.has_value());
    CHECK(value->bytes == bytes("1"));
    CHECK(value->version == done.index);
}

TEST_CASE("B.8: a cluster that was killed as a whole comes back as the same one") {
    cluster all;
    all.start_all();
    const cluster::office before = all.wait_until_in_sync();
    const auto cluster_before = cluster_of(all, one);
    CHECK(cluster_before.has_value());
    all.kill(all.ids());
    all.start_all();
    CHECK(all.wait_until_in_sync().epoch > before.epoch);
    CHECK(cluster_of(all, three) == cluster_before);
}

TEST_CASE("cli: a member starts again without a word about the others") {
    cluster all;
    all.start_all();
    static_cast<void>(all.wait_until_in_sync());
    REQUIRE(all.stop(two) == good_exit);
    server_process again =
        start_of(all, two, {"--listen", all.address(two), "--wal-segment", "4MiB"});
    CHECK(again.start_line().find("no cluster yet") == std::string::npos);
    static_cast<void>(all.wait_for_primary());
    again.wait_for_log("link with server 1 is up");
    again.wait_for_log("link with server 3 is up");
    CHECK(again.stop() == good_exit);
}

TEST_CASE("B.10: SIGTERM hands the office over, and the process ends with 0 in time") {
    cluster all;
    all.start_all();
    const cluster::office first = all.wait_until_in_sync();
    const auto began = test_clock::now();
    CHECK(all.stop(first.primary) == good_exit);
    CHECK(test_clock::now() - began < 3s * (is_sanitized ? 4 : 1));
    const cluster::office second = all.wait_for_primary(first.epoch);
    CHECK(second.epoch == epoch{first.epoch.value() + 1}); // Without an election.
}

TEST_CASE("B.12.1: a server alone is primary of itself, and again after a restart") {
    temporary_directory home;
    for (const int round : {1, 2}) {
        CAPTURE(round);
        server_process alone{
            {.arguments = {"--primary", "--wal-segment", "4MiB"}, .data_dir = home / "data"}};
        alone.wait_for_log("office_taken");
        CHECK(alone.stop() == good_exit);
    }
}

// After a start nothing of the state is in memory: all of it is fetched from the disk.
TEST_CASE("architecture 2: a server that started again knows what it did, and goes on from there") {
    namespace kv = services::kv;
    const temporary_directory home;
    const auto add = services::body_of<kv::kv_messages>(kv::add{.key = "n", .delta = 5});
    const auto number_in = [](const wire::operation_result& told) {
        const auto sum = services::message_in<kv::kv_messages, kv::added>(told.body);
        REQUIRE(sum.has_value());
        return sum->value;
    };
    std::optional<log_index> done_at;
    for (const int round : {1, 2}) {
        CAPTURE(round);
        server_process alone{
            {.arguments = {"--primary", "--wal-segment", "4MiB"}, .data_dir = home / "data"}};
        alone.wait_for_log("office_taken");
        writer client{alone.port()};
        const wire::operation_result first = client.does(add);
        CHECK(number_in(first) == 5);
        // The second time it is a repeat (C.1).
        CHECK(done_at.value_or(first.index) == first.index);
        done_at = first.index;
        if (round == 2) {
            const auto get = services::body_of<kv::kv_messages>(kv::get{.key = "n"});
            CHECK(client.asks(get).code == wire::result_code::ok);
            const auto list = services::body_of<kv::kv_messages>(kv::list{.prefix = "n"});
            CHECK(client.asks(list).code == wire::result_code::ok);
            CHECK(number_in(client.does(add)) == 10);
        }
        CHECK(alone.stop() == good_exit);
    }
}

TEST_CASE("B.12: a list waits for GO while one of it waits") {
    cluster all;
    all.start(one);
    all.start(three);
    auto words = all.arguments_of(two);
    words.emplace_back("--wait");
    SECTION("and begins when the time has come") {
        server_process waiting = start_of(all, two, with(std::move(words), "--go-after", "1s"));
        static_cast<void>(all.wait_for_primary());
        CHECK(waiting.times_logged("go: the list begins") == 1);
        CHECK(waiting.stop() == good_exit);
    }
    SECTION("and else not at all") {
        server_process waiting = start_of(all, two, std::move(words));
        waiting.wait_for_log("link with server 1 is up");
        waiting.wait_for_log("link with server 3 is up");
        CHECK_FALSE(comes_true([&] { return all.look_for_primary().has_value(); }, 1500ms));
        CHECK(waiting.stop() == good_exit);
    }
}

TEST_CASE(
    "B.12.3: a list begins with the --confirm it was told, though some start without a word") {
    cluster all{{.arguments = {"--confirm", "all"}}};
    for (const server_id id : {one, three}) {
        all.start(id);
        REQUIRE(all.stop(id) == good_exit);
    }
    const auto again = [&](server_id id) {
        return start_of(all, id, {"--listen", all.address(id), "--wal-segment", "4MiB"});
    };
    server_process first = again(one);
    server_process third = again(three);
    all.start(two);
    eventually(
        [&] {
            const auto told = all.status(two);
            return told && told->quorum == true && told->tolerates == 1U;
        },
        patience, "all three have begun");
    CHECK(third.stop() == good_exit);
    CHECK(first.stop() == good_exit);
}

TEST_CASE("B.12.3: who was told something else is refused, and both logs say what") {
    cluster all;
    all.start(one);
    all.start(three);
    temporary_directory elsewhere;
    auto words = all.arguments_of(two);
    std::string complaint;
    SECTION("another secret") {
        write_secret(elsewhere / "secret", 'b');
        words = with(std::move(words), "--secret-file", elsewhere / "secret");
        complaint = "different cluster secrets";
    }
    SECTION("another list") {
        words =
            with(std::move(words), "--peers", "1=" + all.address(one) + ",2=" + all.address(two));
        complaint = "different lists of servers";
    }
    SECTION("another option") {
        words = with(std::move(words), "--confirm", "all");
        complaint = "confirm=";
    }
    server_process stranger = start_of(all, two, std::move(words));
    stranger.wait_for_log(complaint);
    all.at(one).wait_for_log(complaint);
    CHECK_FALSE(all.look_for_primary().has_value());
    CHECK(stranger.stop() == good_exit);
}
