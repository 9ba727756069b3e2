#include "base/error.hpp"

#include "support/results.hpp"

#include <catch2/catch_all.hpp>

#include <cerrno>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

namespace almenara {

namespace {

result<int> answer(bool known) {
    if (known) {
        return 42;
    }
    return error{errc::not_found, "asking for the answer"};
}

} // namespace

TEST_CASE("a result is a value or an error that says what was being done") {
    CHECK(*answer(true) == 42);
    CHECK(answer(false).error() == error{errc::not_found, "asking for the answer"});
    CHECK(answer(false).error().message() == "asking for the answer");
}

TEST_CASE("taking the value of a failure is a programming error that names the failure") {
    std::string what;
    try {
        static_cast<void>(answer(false).value());
    } catch (const std::logic_error& programming_error) {
        what = programming_error.what();
    }
    CHECK(what.find("value taken of a failed result") == 0);
    CHECK(what.find("error_test.cpp") != std::string::npos);
    CHECK(what.find("asking for the answer") != std::string::npos);
}

TEST_CASE("an error of the system keeps the system's reason") {
    errno = ENOENT;
    const error failure = last_system_error("opening 'x'");
    CHECK(failure.code == errc::system_failed);
    CHECK(failure.cause == std::errc::no_such_file_or_directory);
    CHECK(failure.message() == "opening 'x': No such file or directory");
}

TEST_CASE("whoever knows more says so in front, and the kind and the cause stay") {
    errno = EACCES;
    const error failure = while_doing("starting", last_system_error("opening 'x'"));
    CHECK(failure.code == errc::system_failed);
    CHECK(failure.message() == "starting: opening 'x': Permission denied");
}

TEST_CASE("a printed error begins with its kind") {
    std::ostringstream out;
    out << error{errc::too_large, "reading a frame"};
    CHECK(out.str() == "too_large: reading a frame");
}

TEST_CASE("every kind of error has a name of its own") {
    std::set<std::string_view> names;
    for (unsigned code = 0; code <= static_cast<unsigned>(errc::system_failed); ++code) {
        names.insert(to_string(static_cast<errc>(code)));
    }
    CHECK(names.size() == static_cast<unsigned>(errc::system_failed) + 1);
    CHECK(names.count("unknown") == 0);
    CHECK(to_string(static_cast<errc>(255)) == "unknown");
}

} // namespace almenara
