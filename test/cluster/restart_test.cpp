#include "base/random.hpp"
#include "cluster/cluster.hpp"
#include "cluster/judgement.hpp"
#include "cluster/load.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

namespace almenara::test {

namespace {

using namespace std::chrono_literals;

/// What a cluster of a test does to itself while clients work.
enum class fault : std::uint8_t {
    kill_primary,
    kill_backup,
    pause_primary,
    pause_backup,
    kill_two
};

void bring_about(cluster& c, fault which, const load& clients) {
    const auto before = c.wait_until_in_sync();
    const auto backups = c.others_than(before.primary);
    switch (which) {
    case fault::kill_primary:
        c.kill({before.primary});
        clients.goes_on(50);
        c.start(before.primary);
        break;
    case fault::kill_backup:
        c.kill({backups.front()});
        clients.goes_on(50);
        c.start(backups.front());
        break;
    case fault::pause_primary:
        c.pause(before.primary);
        clients.goes_on(50);
        c.resume(before.primary);
        break;
    case fault::pause_backup:
        c.pause(backups.back());
        clients.goes_on(50);
        c.resume(backups.back());
        break;
    case fault::kill_two:
        c.kill({before.primary, backups.back()});
        c.start(backups.back());
        clients.goes_on(50);
        c.start(before.primary);
        break;
    }
}

} // namespace

TEST_CASE("a cluster comes back in whatever order its servers are started") {
    cluster c;
    c.start_all();
    auto order = c.ids();
    unsigned round = 0;
    do {
        CAPTURE(fmt::format("{}", fmt::join(order, ",")));
        const auto before = c.wait_until_in_sync();
        const std::string prefix = fmt::format("round {}/", ++round);
        load clients{c.addresses(), {.deadline = 60s, .prefix = prefix, .seed = round}};
        clients.goes_on();
        if (round % 2 == 0) {
            c.kill(order);
        } else {
            for (const server_id id : order) {
                CHECK(c.stop(id) == good_exit);
            }
        }
        c.start(order[0]);
        c.start(order[1]);
        CHECK(c.wait_for_primary(before.epoch).primary != order[2]);
        clients.goes_on();
        c.start(order[2]);
        c.wait_until_in_sync();
        clients.finish();
        check_safe(judge(clients, read_all(c.addresses(), prefix)));
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(round == 6);
    CHECK(c.done().starts == c.done().kills + c.done().stops);
}

TEST_CASE("I15 what clients see under kills and pauses is linearizable") {
    constexpr unsigned rounds = 10;
    cluster c;
    c.start_all();
    c.wait_until_in_sync();
    constexpr std::uint64_t seed = 4;
    base::generator random{seed};
    load clients{c.addresses(), {.pause = 2ms, .deadline = 60s, .seed = seed}};
    clients.goes_on();
    for (unsigned i = 0; i < rounds; ++i) {
        bring_about(c, static_cast<fault>((i + random.below(2)) % 5), clients);
    }
    c.wait_until_in_sync();
    clients.goes_on();
    clients.finish();
    const judgement is = judge(clients, read_all(c.addresses(), "run/"));
    check_safe(is);
    CHECK(is.keys_unknown == 0);
    CHECK(c.done().kills > 0);
    CHECK(c.done().pauses > 0);
}

TEST_CASE("I13 a shared counter counts every add once, whoever is killed meanwhile") {
    cluster c;
    c.start_all();
    load clients{c.addresses(), {.writers = 8, .readers = 0, .deadline = 60s}};
    for (int i = 0; i < 3; ++i) {
        bring_about(c, fault::kill_primary, clients);
    }
    c.wait_until_in_sync();
    clients.finish();
    const all_rows rows = read_all(c.addresses(), "run/");
    const judgement is = judge(clients, rows);
    check_safe(is);
    REQUIRE(is.unknown == 0);
    // Nothing is unknown, so the sums must be exact.
    for (const std::string key : {"run/n0", "run/n1"}) {
        std::int64_t sum = 0;
        for (const check::operation& one : clients.heard().operations()) {
            sum += one.request.key == key && one.returned ? one.request.delta : 0;
        }
        CHECK(sum > 0);
        CHECK(rows.rows.at(key).value == std::to_string(sum));
    }
}

} // namespace almenara::test
