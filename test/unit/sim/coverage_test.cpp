#include "sim/coverage.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstdint>

using namespace almenara::sim;

TEST_CASE("a search that has seen nothing misses what it must have seen") {
    coverage seen;
    const auto misses = [&](sight what, std::uint64_t runs) {
        const auto never = seen.missing(runs);
        return std::find(never.begin(), never.end(), what) != never.end();
    };
    CHECK(misses(sight::kill_in_output, 30));
    CHECK(misses(sight::pull, 300));
    CHECK_FALSE(misses(sight::pull, 30)); // which is too few for what is rare
    for (const sight each : seen.missing(300)) {
        seen.saw(each);
    }
    CHECK(seen.missing(300).empty());
}

TEST_CASE("a search that cannot tell of too many keys is refused") {
    coverage seen;
    seen.saw(sight::order_unknown, 50);
    CHECK(seen.knows_orders()); // too few to judge by
    seen.saw(sight::order_found, 4949);
    CHECK_FALSE(seen.knows_orders());
    seen.saw(sight::order_found);
    CHECK(seen.knows_orders());
}
