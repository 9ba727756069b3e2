#pragma once

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>

/// Waiting for what another process does. Deadlines are generous: they are there to end a test that
/// fails, never to measure.
namespace almenara::test {

using test_clock = std::chrono::steady_clock;

/// For what takes milliseconds on a machine that has nothing else to do.
inline constexpr std::chrono::seconds patience{30};

/// Asks until the condition holds. The only place where a test may sleep.
template <class Condition>
[[nodiscard]] bool comes_true(Condition&& condition, std::chrono::nanoseconds within) {
    constexpr std::chrono::milliseconds longest_pause{10};
    const auto deadline = test_clock::now() + within;
    std::chrono::milliseconds pause{1};
    while (!condition()) {
        if (test_clock::now() >= deadline) {
            return false;
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, longest_pause);
    }
    return true;
}

/// The same; the test fails if it does not come true.
template <class Condition>
void eventually(Condition&& condition, std::chrono::nanoseconds within, std::string_view what) {
    if (!comes_true(condition, within)) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(within).count();
        FAIL("within " << seconds << " s it did not happen that " << what);
    }
}

template <class Condition>
void eventually(Condition&& condition, std::string_view what) {
    eventually(condition, patience, what);
}

} // namespace almenara::test
