#include "base/random.hpp"
#include "cluster/client_program.hpp"
#include "cluster/cluster.hpp"
#include "cluster/kept_files.hpp"
#include "cluster/row.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

/// Clients that are killed between sending and hearing, and started again with what they kept.
namespace almenara::test {

namespace {

using namespace std::chrono_literals;

constexpr run_counts kills_of_a_client{.few = 60, .many = 10'000};
constexpr unsigned runs_between_kills_of_a_primary = 20;
constexpr std::string_view sent_again =
    "an operation of an earlier run was not answered (kv add n): sent again, done";

/// What became of the additions, as their author knows it.
struct sums {
    std::uint64_t told = 0;       ///< by the run itself
    std::uint64_t told_later = 0; ///< by the next one
    std::uint64_t heard = 0;      ///< the file says that it was answered, but nobody was told
    std::uint64_t never_sent = 0;

    [[nodiscard]] std::uint64_t all() const { return told + told_later + heard; }
};

/// Kills it as soon as it has written down what it sends, or so much later.
void kill_while_it_waits(process& one, const kept_files& anna, std::chrono::microseconds later) {
    std::vector<std::string> sessions = anna.sessions();
    const auto latest = test_clock::now() + patience;
    // Asking without a pause: it waits for milliseconds only.
    while (!kept_files::holds_records(sessions) && !one.has_ended()) {
        REQUIRE(test_clock::now() < latest);
        sessions = sessions.empty() ? anna.sessions() : sessions;
    }
    const auto at = test_clock::now() + later;
    while (test_clock::now() < at && !one.has_ended()) {
    }
    if (!one.has_ended()) {
        one.send(SIGKILL);
    }
    one.wait();
}

std::uint64_t sum_of(const kept_files& anna) {
    const finished got = anna.says({"kv", "get", "n"});
    CAPTURE(got.out, got.err);
    REQUIRE(got.status == good_exit);
    return std::stoull(got.out);
}

} // namespace

TEST_CASE("C.3: a client that is killed by -9 after it has sent is done once, whoever rules then") {
    cluster servers;
    servers.start_all();
    auto office = servers.wait_until_in_sync();
    const kept_files anna{naming(servers.addresses())};
    REQUIRE(anna.says({"kv", "put", "n", "0"}).status == good_exit);
    base::generator random{1};
    sums done;
    const unsigned runs = runs_now(kills_of_a_client);
    for (unsigned run = 1; run <= runs; ++run) {
        CAPTURE(run);
        const bool kills_primary = run % runs_between_kills_of_a_primary == 0;
        {
            process one{anna.with({"kv", "add", "n", "1"})};
            kill_while_it_waits(one, anna, std::chrono::microseconds{random.below(3000)});
            const auto records = anna.records();
            if (!one.output().empty()) {
                ++done.told;
            } else if (records.open == 1) {
                ++done.told_later;
            } else {
                ++(records.all == 1 ? done.heard : done.never_sent);
            }
            if (kills_primary) {
                servers.kill({office.primary});
            }
            // The next run sends what is open before anything new, to whoever rules by then.
            const finished next = anna.says({"kv", "get", "n"});
            CAPTURE(next.out, next.err);
            REQUIRE(next.status == good_exit);
            CHECK((next.err.find(sent_again) != std::string::npos) == (records.open == 1));
            REQUIRE(next.out == fmt::format("{}", done.all()));
        }
        if (kills_primary) {
            servers.start(office.primary);
            office = servers.wait_until_in_sync();
        }
    }
    CHECK(sum_of(anna) == done.all());
    if (runs >= kills_of_a_client.few) {
        CHECK(done.told_later > 0); // One run alone may be told at once.
    }
    CHECK(anna.sessions().size() == 1);
    CHECK(anna.records().all == 0);
    std::cout << fmt::format(
        "clients killed: {} runs, {} sent again by the next one, {} answered "
        "before, {} told, {} never sent; {} kills of a primary; lost 0, twice 0\n",
        runs, done.told_later, done.heard, done.told, done.never_sent, servers.done().kills);
}

} // namespace almenara::test
