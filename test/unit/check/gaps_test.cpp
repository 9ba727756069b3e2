#include "support/check/gaps.hpp"

#include "support/check/told.hpp"

#include <catch2/catch_all.hpp>

namespace almenara::test::check {

namespace {

using std::chrono::milliseconds;

instant at(std::int64_t ms) {
    return told_operations::at(ms);
}

} // namespace

TEST_CASE("the longest gap is the longest time without a confirmed write") {
    told_operations run;
    run.heard(1, put("a", "x"), 0, 10, done(2));
    run.heard(2, put("a", "y"), 0, 12, done(3));
    run.heard(1, put("a", "z"), 11, 40, done(4));
    run.read(3, "a", 20, 21, saw("y", 3, 3)); // no write
    run.heard(3, put("", ""), 22, 23, {.code = outcome::refused});
    run.unheard(3, put("a", "w"), 24);
    CHECK(longest_gap(run.all, at(0), at(50)) == gap{at(12), milliseconds{28}});
    // What lies outside does not count, and the ends do.
    CHECK(longest_gap(run.all, at(12), at(20)) == gap{at(12), milliseconds{8}});
    CHECK(longest_gap(run.all, at(38), at(90)) == gap{at(40), milliseconds{50}});
    CHECK(longest_gap({}, at(1), at(5)) == gap{at(1), milliseconds{4}});
}

TEST_CASE("percentiles are lengths that were measured") {
    const std::vector<duration> lengths{milliseconds{3}, milliseconds{1}, milliseconds{2},
                                        milliseconds{4}};
    CHECK(percentile(lengths, 50) == milliseconds{2});
    CHECK(percentile(lengths, 75) == milliseconds{3});
    CHECK(percentile(lengths, 99) == milliseconds{4});
    CHECK(percentile(lengths, 100) == milliseconds{4});
    CHECK(percentile({milliseconds{7}}, 50) == milliseconds{7});
}

} // namespace almenara::test::check
