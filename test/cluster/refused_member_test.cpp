#include "cluster/cluster.hpp"
#include "cluster/good_client.hpp"
#include "cluster/load.hpp"

#include <catch2/catch_all.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// B.2, B.12: who must not belong to a cluster is refused, and an operator reads why.
namespace almenara::test {

namespace {

namespace fs = std::filesystem;

constexpr server_id three{3};

/// A member in place of server 3, with other words or another directory.
struct odd_one {
    odd_one(const cluster& c, std::vector<std::string> words, std::string directory = {})
        : server({.arguments = std::move(words),
                  .data_dir = directory.empty() ? c.data_dir(three) : std::move(directory)}) {}

    server_process server;
};

/// Both of them say so, each in its own log.
void both_say(server_process& accepted, server_process& odd, std::string_view text) {
    odd.wait_for_log(text);
    accepted.wait_for_log(text);
}

/// Two of three go on as if the third were not there.
void check_unmoved(const cluster& c, const cluster::office& before) {
    const auto now = c.wait_for_primary();
    CHECK(now.epoch == before.epoch);
    CHECK(now.primary == before.primary);
    const auto told = c.status(now.primary).value();
    for (const auto& server : told.servers) {
        if (server.id == three) {
            CHECK(server.state == wire::server_state::down);
        }
    }
    load clients{c.addresses(), {.writers = 2, .readers = 1}};
    clients.goes_on(20);
}

/// In office is one of the two that stay.
cluster::office without_three(cluster& c) {
    c.start_all();
    const auto before = c.wait_until_in_sync();
    c.kill({three});
    return before.primary == three ? c.wait_for_primary(before.epoch) : before;
}

} // namespace

TEST_CASE("B.2 a wiped disk under an old id is refused") {
    cluster c;
    const auto before = without_three(c);
    fs::remove_all(c.data_dir(three));
    odd_one wiped{c, c.arguments_of(three)};
    both_say(c.at(before.primary), wiped.server,
             "server 3 lost its disk: remove it and add it again");
    check_unmoved(c, before);
}

TEST_CASE("B.2 a server of another cluster is refused") {
    cluster c;
    const auto before = without_three(c);
    const temporary_directory elsewhere;
    const std::string directory = elsewhere / "foreign";
    {
        // The same secret, so it is not that.
        server_process founder{{.arguments = {"--primary", "--id", "3", "--secret-file",
                                              c.secret_file(), "--wal-segment", "4MiB"},
                                .data_dir = directory}};
        good_client asks{founder.address()};
        static_cast<void>(value_of(asks.enter()));
        eventually([&] { return value_of(asks.status()).primary == three; },
                   "the other cluster has begun");
        CHECK(founder.stop() == good_exit);
    }
    odd_one foreign{c, c.arguments_of(three), directory};
    both_say(c.at(before.primary), foreign.server, "this server belongs to another cluster");
    check_unmoved(c, before);
}

TEST_CASE("B.2 a copy of a server that runs is refused") {
    cluster c;
    c.start_all();
    const auto began = c.wait_until_in_sync();
    CHECK(c.stop(three) == good_exit);
    const temporary_directory elsewhere;
    fs::copy(c.data_dir(three), elsewhere / "copy", fs::copy_options::recursive);
    c.start(three);
    const auto before = c.wait_until_in_sync();
    const reserved_port another;
    odd_one copy{
        c, with(c.arguments_of(three), "--listen", "127.0.0.1:" + std::to_string(another.number())),
        elsewhere / "copy"};
    copy.server.wait_for_log("another server 3 is connected");
    const auto now = c.wait_until_in_sync();
    CHECK(now.epoch == before.epoch);
    CHECK(now.epoch >= began.epoch);
}

TEST_CASE("B.12 a member that is started with another secret says so and does not start") {
    cluster c;
    static_cast<void>(without_three(c));
    const temporary_directory elsewhere;
    write_secret(elsewhere / "secret", 'b');
    const auto words = with(c.arguments_of(three), "--secret-file", elsewhere / "secret");
    const auto ended = run(almenarad(c.data_dir(three), words));
    CAPTURE(ended.err);
    CHECK(ended.status.code == 2); // A start with the same words would end the same.
    CHECK(ended.err.find("the cluster of this server has another secret") != std::string::npos);
    c.start(three);
    c.wait_until_in_sync();
}

} // namespace almenara::test
