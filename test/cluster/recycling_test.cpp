#include "cluster/cluster.hpp"
#include "cluster/judgement.hpp"
#include "cluster/load.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ios>
#include <map>
#include <set>
#include <string>

/// B.8: the log is recycled, and never what somebody lacks.
namespace almenara::test {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr server_id one{1};
constexpr server_id two{2};
constexpr server_id three{3};
constexpr std::chrono::seconds patience_with_disks{120};
const cluster_settings small_logs{.arguments = {"--wal-keep", "4MiB"}};
const load_habits large_values{
    .writers = 8, .readers = 2, .pause = 0ms, .deadline = 60s, .filler = 60'000};

/// The numbers of the segments that are there. What is renamed meanwhile may be missed.
std::set<std::uint64_t> segments_of(const cluster& c, server_id which) {
    std::set<std::uint64_t> numbers;
    std::error_code ignored;
    for (const auto& file : fs::directory_iterator{c.data_dir(which) + "/log", ignored}) {
        const std::string name = file.path().filename().string();
        std::uint64_t number = 0;
        if (name.starts_with("log.") &&
            std::from_chars(name.data() + 4, name.data() + name.size(), number, 16).ec ==
                std::errc{}) {
            numbers.insert(number);
        }
    }
    return numbers;
}

std::uint64_t first_segment(const cluster& c, server_id which) {
    const auto all = segments_of(c, which);
    REQUIRE_FALSE(all.empty());
    return *all.begin();
}

std::uint64_t last_segment(const cluster& c, server_id which) {
    const auto all = segments_of(c, which);
    REQUIRE_FALSE(all.empty());
    return *all.rbegin();
}

/// The first batches of the segment: several blocks, for some have no entries, and then nothing is
/// lost with them.
void rot_beginning(const std::string& segment) {
    constexpr std::size_t block_size = 4096;
    constexpr std::size_t rotten = 8;
    std::fstream bytes{segment, std::ios::binary | std::ios::in | std::ios::out};
    bytes.seekp(static_cast<std::streamoff>(3 * block_size));
    bytes << std::string(rotten * block_size, 'z') << std::flush;
    REQUIRE(bytes.good());
}

/// Each of them has let go of so many segments.
void wait_until_recycled(const cluster& c, std::uint64_t count) {
    for (const server_id id : c.ids()) {
        eventually([&] { return first_segment(c, id) > count; }, patience_with_disks,
                   fmt::format("{} segments of server {} are recycled", count, id));
    }
}

} // namespace

TEST_CASE("B.8 logs are recycled on all servers, and nothing is lost when all are killed") {
    cluster c{small_logs};
    c.start_all();
    c.wait_until_in_sync();
    load clients{c.addresses(), large_values};
    wait_until_recycled(c, 3);
    c.kill(c.ids());
    c.start_all();
    c.wait_until_in_sync();
    clients.goes_on(20);
    SECTION("and they go on being recycled") {
        wait_until_recycled(c, first_segment(c, three));
    }
    clients.finish();
    check_safe(judge(clients, read_all(c.addresses(), "run/")));
}

TEST_CASE("B.8 what a backup lacks that is away is recycled by nobody") {
    cluster c{small_logs};
    c.start_all();
    const auto before = c.wait_until_in_sync();
    load clients{c.addresses(), large_values};
    wait_until_recycled(c, 1);
    const server_id away = c.others_than(before.primary).front();
    const bool is_killed = GENERATE(true, false);
    CAPTURE(is_killed);
    if (is_killed) {
        c.kill({away});
    } else {
        CHECK(c.stop(away) == good_exit);
    }
    // What was free before it left may still go.
    clients.goes_on(20);
    std::map<server_id, std::uint64_t> first;
    std::map<server_id, std::uint64_t> last;
    for (const server_id id : c.others_than(away)) {
        first[id] = first_segment(c, id);
        last[id] = last_segment(c, id);
    }
    constexpr std::uint64_t more = 12; // They would go if it were not for the one that is away.
    for (const auto& [id, number] : last) {
        eventually([&, at = id, upto = number + more] { return last_segment(c, at) >= upto; },
                   patience_with_disks, "the logs of those who are there grow");
    }
    for (const auto& [id, number] : first) {
        CHECK(first_segment(c, id) == number);
    }
    c.start(away);
    c.wait_until_in_sync();
    wait_until_recycled(c, std::max_element(first.begin(), first.end(), [](auto& a, auto& b) {
                               return a.second < b.second;
                           })->second);
    clients.finish();
    check_safe(judge(clients, read_all(c.addresses(), "run/")));
}

TEST_CASE("B.8 a log that was damaged and begins anew leaves nobody behind who was away") {
    cluster c;
    c.start_all();
    c.wait_until_in_sync();
    load clients{c.addresses(), {.deadline = 120s}};
    clients.goes_on();
    CHECK(c.stop(one) == good_exit);
    // Its state has more than server 1 when it ends, if not all of it: the log is given up for it.
    clients.goes_on(2000);
    CHECK(c.stop(three) == good_exit);
    rot_beginning(c.data_dir(three) + "/log/log.0000000000000001");
    c.start(three);
    c.at(three).wait_for_log("log cannot be read from");
    if (c.wait_until_in_sync().primary != three) {
        CHECK(c.stop(two) == good_exit);
        c.start(two);
    }
    REQUIRE(c.wait_until_in_sync().primary == three);

    c.start(one);
    c.at(three).wait_for_log("server 1 lacks entries below");
    CHECK(c.wait_until_in_sync().primary == two);
    clients.goes_on();
    clients.finish();
    check_safe(judge(clients, read_all(c.addresses(), "run/")));
}

TEST_CASE("B.8 a server whose state was lost beside a recycled log does not start without it") {
    cluster c{small_logs};
    c.start_all();
    c.wait_until_in_sync();
    load clients{c.addresses(), large_values};
    wait_until_recycled(c, 1);
    CHECK(c.stop(three) == good_exit);
    const std::string state = c.data_dir(three) + "/state";
    fs::rename(state, state + ".away");
    const finished refused = run(almenarad(c.data_dir(three), c.arguments_of(three)));
    CHECK(refused.status == exit_status{.code = 1});
    CHECK(refused.err.find("it begins behind entry") != std::string::npos);
    CHECK(refused.err.find("Bring back the directory 'state'") != std::string::npos);
    fs::remove_all(state);
    fs::rename(state + ".away", state);
    c.start(three);
    c.wait_until_in_sync();
    clients.finish();
    check_safe(judge(clients, read_all(c.addresses(), "run/")));
}

} // namespace almenara::test
