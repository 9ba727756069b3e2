#include "server/log_budget.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

namespace almenara::server {

using namespace std::chrono_literals;

TEST_CASE("style 11 nobody outside can fill the log") {
    log_budget lines{10};
    instant now{1h};
    for (int second = 0; second < 3; ++second) {
        int written = 0;
        for (int i = 0; i < 1000; ++i) {
            written += lines.take(now + i * 999us) ? 1 : 0;
        }
        CHECK(written == 10);
        CHECK(lines.take_left_out() == 990);
        now = now + 1s;
    }
}

TEST_CASE("style 11 what was left out of the log is counted and told once") {
    log_budget lines{1};
    const instant now{1h};
    CHECK(lines.take(now));
    CHECK(lines.take_left_out() == 0);
    CHECK_FALSE(lines.take(now));
    CHECK_FALSE(lines.take(now));
    CHECK(lines.take_left_out() == 2);
    CHECK(lines.take_left_out() == 0);
}

TEST_CASE("style 11 what was left out is told after a second, flood or not") {
    log_budget lines{1};
    const instant begin{1h};
    CHECK(lines.take(begin));
    CHECK_FALSE(lines.left_out_due());
    for (int i = 1; i < 15; ++i) {
        static_cast<void>(lines.take(begin + i * 100ms));
    }
    CHECK(lines.left_out_due() == begin + 1100ms);
    CHECK_FALSE(lines.is_left_out_due(begin + 1099ms));
    CHECK(lines.is_left_out_due(begin + 1100ms));
    CHECK(lines.take_left_out() > 0);
    CHECK_FALSE(lines.left_out_due());
}

TEST_CASE("a log that is quiet writes everything") {
    log_budget lines{1};
    for (int second = 0; second < 100; ++second) {
        CHECK(lines.take(instant{std::chrono::seconds{second}}));
    }
    CHECK(lines.take_left_out() == 0);
}

} // namespace almenara::server
