#include "state/session_table.hpp"
#include "support/cold_key_space.hpp"
#include "unit/state/little_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

// C.1: more sessions than there may be, and none of their rows is in memory.
namespace almenara::state {

namespace {

using test::expect;
using test::id_number;

constexpr std::size_t a_few = 20; ///< rows that one round may ask for
constexpr int most_rounds = 16;   ///< as the queue of cold requests has them

struct crowded {
    explicit crowded(std::uint64_t allowed, std::size_t swept_at_once, std::uint8_t sessions)
        : bounds{.sessions = allowed, .most_sessions = 1000, .swept_at_once = swept_at_once} {
        log.push_back(
            {.index = log_index{1}, .of = epoch{1}, .kind = payload_kind::other, .payload = {}});
        REQUIRE_FALSE(at.entered_office(log_index{1}, std::vector{log.back().record()}));
        confirms();
        for (std::uint8_t i = 0; i < sessions; ++i) {
            took(expect<proposed>(opens(i, {})));
        }
    }

    turn now() {
        turn next{.next = {.index = log.back().index.next(), .time = wall},
                  .confirmed_upto = log.back().index};
        next.random.front() = static_cast<std::byte>(log.size() & 0xffU);
        next.random[1] = static_cast<std::byte>(log.size() >> 8U);
        return next;
    }
    decision opens(std::uint8_t nonce, const inputs& supplied) {
        return at.open_session(now(), connection_id{nonce}, {.nonce = id_number<open_nonce>(nonce)},
                               supplied);
    }
    std::vector<delivery> took(const proposed& entry) {
        log.push_back({.index = log.back().index.next(), .of = epoch{1}, .payload = entry.payload});
        return confirms();
    }
    std::vector<delivery> confirms() {
        REQUIRE_FALSE(at.committed(log.back().record()));
        at.apply_to_base(log.back().index);
        return at.confirmed(log.back().index);
    }
    [[nodiscard]] std::uint64_t sessions() const { return count_sessions(base.rows()); }

    /// Asks until nothing is missing any more; each round asks for a few rows.
    template <class Asks>
    auto asks_cold(const Asks& asks) {
        inputs supplied;
        for (int round = 0;; ++round) {
            auto found = asks(supplied);
            const auto* const missing = std::get_if<needs_inputs>(&found);
            if (missing == nullptr) {
                return found;
            }
            CHECK(missing->wanted.rows.size() <= a_few);
            CHECK(missing->wanted.ranges.size() <= a_few);
            REQUIRE(round < most_rounds);
            supplied.keep(missing->hold);
            supplied.add(base.fetch(missing->wanted));
        }
    }

    limits bounds;
    bool is_cold = false;
    test::cold_key_space base{[this](std::string_view) { return is_cold; }};
    test::kv::service service;
    desk at{base, service, bounds};
    std::vector<test::log_entry> log;
    wall_time wall{std::chrono::hours{1000}};
};

} // namespace

TEST_CASE("C.1: who takes the place of an idle session asks for a few rows at a time") {
    crowded server{40, 4, 140};
    // The pass that finds the idle ones.
    server.took(*server.at.sweep(server.now()));
    const std::uint64_t before = server.sessions();
    REQUIRE(before == 136);
    server.is_cold = true;
    const auto told =
        server.asks_cold([&](const inputs& supplied) { return server.opens(200, supplied); });
    server.took(std::get<proposed>(told));
    CHECK(server.sessions() == before); // One came and one went.
}

TEST_CASE("C.1: a sweep of cold sessions asks for a few rows at a time, and gets done") {
    crowded server{40, 64, 250};
    server.took(*server.at.sweep(server.now()));
    REQUIRE(server.sessions() == 186);
    server.is_cold = true;
    auto found = server.asks_cold(
        [&](const inputs& supplied) { return server.at.sweep(server.now(), supplied); });
    server.took(std::get<proposed>(found));
    CHECK(server.sessions() == 122);
}

TEST_CASE("C.1: so many sessions that are not idle any more are passed in one look") {
    crowded server{40, 8, 100};
    server.took(*server.at.sweep(server.now()));
    // All of them come back: none of those that the pass found may go.
    std::uint64_t number = 0;
    for (const row& one : server.base.rows().scan(prefix_range(session_prefix), {.rows = 200})) {
        ++number;
        static_cast<void>(server.at.attach(connection_id{number}, session_of_key(one.key)));
    }
    const std::uint64_t before = server.sessions();
    server.took(expect<proposed>(server.opens(200, {})));
    CHECK(server.sessions() == before + 1);
}

} // namespace almenara::state
