#include "base/check.hpp"

#include "support/last_words.hpp"

#include <catch2/catch_all.hpp>

namespace almenara::base {

TEST_CASE("style 9: a broken invariant says what and where, and ends the process") {
    const std::string words = test::last_words([] {
        const int voters = 3;
        ALMENARA_CHECK(voters > 4);
    });
    CHECK(words.find("invariant broken: voters > 4") != std::string::npos);
    CHECK(words.find("check_test.cpp:") != std::string::npos);
}

TEST_CASE("style 9: a kept invariant costs nothing to see") {
    CHECK(test::last_words([] { ALMENARA_CHECK(1 + 1 == 2); }).empty());
}

TEST_CASE("a check is one statement, also without braces around it") {
    bool reached_else = false;
    if (reached_else)
        ALMENARA_CHECK(false);
    else
        reached_else = true;
    CHECK(reached_else);
}

} // namespace almenara::base
