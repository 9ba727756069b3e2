#include "log/log.hpp"
#include "support/child.hpp"
#include "support/lines.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

/// The log is what several threads share today. Run with the thread sanitizer.
namespace almenara::log {

namespace {

constexpr int threads = 4;
constexpr int lines_each = 500;

void log_from_several_threads() {
    std::vector<std::thread> all;
    for (int thread = 0; thread < threads; ++thread) {
        all.emplace_back([thread] {
            for (int i = 0; i < lines_each; ++i) {
                error("thread {} line {}", thread, i);
                debug("only now and then");
            }
        });
    }
    all.emplace_back([] {
        for (int i = 0; i < lines_each; ++i) {
            set_lowest(i % 2 == 0 ? level::debug : level::error);
        }
    });
    for (std::thread& one : all) {
        one.join();
    }
}

/// The whole of a log's life, so many times.
int open_log_and_close(int rounds) {
    for (int round = 0; round < rounds; ++round) {
        if (!open({})) {
            return 1;
        }
        log_from_several_threads();
        close();
    }
    return 0;
}

/// A stop that takes too long is ended by another thread, whatever the first one is at.
int close_log_during_last_words() {
    constexpr int rounds = 20;
    std::atomic<bool> is_over = false;
    std::thread leaving{[&is_over] {
        while (!is_over) {
            last_words(level::warning, "leaving at once");
        }
    }};
    bool is_open = true;
    for (int round = 0; round < rounds && is_open; ++round) {
        is_open = bool{open({})};
        close();
    }
    is_over = true;
    leaving.join();
    return is_open ? 0 : 1;
}

} // namespace

TEST_CASE("004 lines of several threads are all written, each as a whole") {
    const auto end = test::in_child([] { return open_log_and_close(1); });
    INFO(end.errors.substr(0, 4000));
    REQUIRE(end.exit_code == 0);
    REQUIRE(end.signal == 0);

    std::multiset<std::string> expected;
    for (int thread = 0; thread < threads; ++thread) {
        for (int i = 0; i < lines_each; ++i) {
            expected.insert(fmt::format("<3>thread {} line {}", thread, i));
        }
    }
    std::multiset<std::string> written;
    for (const std::string& line : test::lines_of(end.errors)) {
        if (line != "<7>only now and then") {
            written.insert(line);
        }
    }
    CHECK(written == expected);
}

TEST_CASE("004 a log is opened and closed around its threads as often as one likes") {
    const auto end = test::in_child([] { return open_log_and_close(3); });
    INFO(end.errors.substr(0, 4000));
    CHECK(end.exit_code == 0);
    CHECK(end.signal == 0);
    // The sanitizer's report stands there too; a child that leaves by _exit() has no other sign.
    CHECK(end.errors.find("ThreadSanitizer") == std::string::npos);
}

TEST_CASE("log last words may be said while the log is being closed") {
    const auto end = test::in_child(close_log_during_last_words);
    CHECK(end.exit_code == 0);
    CHECK(end.signal == 0);
    CHECK(end.errors.find("ThreadSanitizer") == std::string::npos);
}

} // namespace almenara::log
