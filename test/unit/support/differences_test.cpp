#include "support/differences.hpp"

#include <catch2/catch_all.hpp>

namespace almenara::test {

TEST_CASE("equal texts have no differences") {
    CHECK(line_differences("", "").empty());
    CHECK(line_differences("a\nb\n", "a\nb\n").empty());
}

TEST_CASE("a changed line is shown as it was and as it is, under the line before it") {
    CHECK(line_differences("a\nb\nc\n", "a\nx\nc\n") == "  a\n- b\n+ x\n");
}

TEST_CASE("added and removed lines are found among equal ones") {
    CHECK(line_differences("a\nc\n", "a\nb\nc\n") == "  a\n+ b\n");
    CHECK(line_differences("a\nb\nc\n", "a\nc\n") == "  a\n- b\n");
    CHECK(line_differences("", "a\n") == "+ a\n");
}

} // namespace almenara::test
