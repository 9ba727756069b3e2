#pragma once

#include "base/error.hpp"

#include <catch2/catch_all.hpp>

#include <string_view>
#include <utility>

/// What a test expects of a result<T>. A failure of the test says what the result was.
namespace almenara::test {

/// The value; the test fails if there is none.
template <class T>
T value_of(result<T> outcome) {
    if (!outcome) {
        FAIL("there is no value: " << outcome.error());
    }
    return std::move(*outcome);
}

/// The failure; the test fails if there is none.
template <class T>
error failure_of(const result<T>& outcome) {
    if (outcome) {
        FAIL("there is a value where a failure was expected");
    }
    return outcome.error();
}

/// Whether a text says a word; for error messages.
[[nodiscard]] inline bool says(const error& failure, std::string_view words) {
    return failure.message().find(words) != std::string::npos;
}

} // namespace almenara::test
