#include "base/random.hpp"

#include "support/last_words.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace almenara::base {

using namespace std::chrono_literals;

// xoshiro256** seeded by splitmix64, computed with an implementation of its own in Python.
TEST_CASE("style 5: the same seed gives the same numbers on every machine") {
    generator zero{0};
    CHECK(zero.next() == 0x99ec5f36cb75f2b4);
    CHECK(zero.next() == 0xbf6e1f784956452a);
    CHECK(zero.next() == 0x1a5f849d4933e6e0);
    CHECK(zero.next() == 0x6aa594f1262d2d2c);

    generator other{42};
    CHECK(other.next() == 0x15780b2e0c2ec716);
    CHECK(other.next() == 0x6104d9866d113a7e);
}

TEST_CASE("a drawn number is below its bound, whatever the bound") {
    generator random{1};
    const std::uint64_t bound =
        GENERATE(as<std::uint64_t>{}, 1, 2, 3, 1000, (1ULL << 63U) + 1, ~0ULL);
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(random.below(bound) < bound);
    }
}

TEST_CASE("each number below the bound is equally likely") {
    // 2^64 mod (3 * 2^62) is 2^62: taken simply modulo, the lowest third would come twice as often
    // as each of the others. Seven standard deviations of 30,000 draws are under 600.
    constexpr std::uint64_t third = 1ULL << 62U;
    std::array<int, 3> seen{};
    generator random{7};
    for (int i = 0; i < 30'000; ++i) {
        ++seen[random.below(3 * third) / third];
    }
    for (const int count : seen) {
        CHECK(std::abs(count - 10'000) < 600);
    }
}

TEST_CASE("small bounds too are drawn evenly") {
    std::array<int, 10> seen{};
    generator random{8};
    for (int i = 0; i < 100'000; ++i) {
        ++seen[random.below(seen.size())];
    }
    for (const int count : seen) {
        CHECK(std::abs(count - 10'000) < 700);
    }
}

TEST_CASE("a bound of zero is a broken invariant") {
    const std::string words = test::last_words([] { static_cast<void>(generator{1}.below(0)); });
    CHECK(words.find("bound > 0") != std::string::npos);
}

TEST_CASE("a chance of none never comes, one of all always, one of four a quarter of the time") {
    generator random{3};
    int quarter = 0;
    for (int i = 0; i < 10'000; ++i) {
        REQUIRE_FALSE(random.chance(0, 4));
        REQUIRE(random.chance(4, 4));
        quarter += random.chance(1, 4) ? 1 : 0;
    }
    CHECK(std::abs(quarter - 2500) < 300);
}

TEST_CASE("a length between two lengths may be either of them") {
    generator random{4};
    bool shortest = false;
    bool longest = false;
    for (int i = 0; i < 1000; ++i) {
        const duration length = random.between(-2ns, 2ns);
        REQUIRE(length >= -2ns);
        REQUIRE(length <= 2ns);
        shortest = shortest || length == -2ns;
        longest = longest || length == 2ns;
    }
    CHECK(shortest);
    CHECK(longest);
    CHECK(random.between(5ms, 5ms) == 5ms);
    CHECK(random.between(0ns, duration::max()) >= 0ns);
}

TEST_CASE("lengths that are the wrong way round are a broken invariant") {
    const std::string words =
        test::last_words([] { static_cast<void>(generator{1}.between(2ms, 1ms)); });
    CHECK(words.find("shortest <= longest") != std::string::npos);
}

} // namespace almenara::base
