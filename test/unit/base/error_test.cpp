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

using test::says;

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
    CHECK(failure.message() == "opening 'x': No such file or directory. Make the directory it "
                               "should lie in, or give another path");
}

TEST_CASE("whoever knows more says so in front, and the kind and the cause stay") {
    errno = EACCES;
    const error failure = while_doing("starting", last_system_error("opening 'x'"));
    CHECK(failure.code == errc::system_failed);
    CHECK(says(failure, "starting: opening 'x': Permission denied. "));
}

TEST_CASE("an error of the system says what to do next") {
    const auto [number, advice] = GENERATE(table<int, std::string>({
        {EACCES, "that this user may use, or run it as another user"},
        {EPERM, "that this user may use, or run it as another user"},
        {ENOENT, "Make the directory it should lie in, or give another path"},
        {ENOTDIR, "A part of the path is a file: give another path"},
        {EISDIR, "Give a file"},
        {ENAMETOOLONG, "Give a shorter path"},
        {ELOOP, "give another path"},
        {ENOSPC, "Make room on that disk, or give a path on another one"},
        {EROFS, "Give a path on a disk that can be written"},
        {EIO, "Look at the disk"},
        {ENOMEM, "Free some memory"},
        {EMFILE, "raise the limit on open files"},
        {ENFILE, "raise the limit on open files"},
        {EADDRINUSE, "Stop the other program"},
        {EADDRNOTAVAIL, "Give an address that this machine has"},
        {EAFNOSUPPORT, "Give an address of a kind that this machine has"},
    }));
    CAPTURE(number);
    errno = number;
    const std::string message = last_system_error("trying").message();
    CAPTURE(message);
    CHECK(message.find("trying: ") == 0);
    CHECK(message.find(". ") != std::string::npos);
    CHECK(message.find(advice) != std::string::npos);
}

TEST_CASE("advice of whoever knows more goes before the usual one, and stays behind everything") {
    errno = ENOENT;
    error failure = last_system_error("opening 'x'");
    failure.advice = "Leave it out";
    CHECK(while_doing("starting", failure).message() ==
          "starting: opening 'x': No such file or directory. Leave it out");
    CHECK(error{.doing = "x is y", .advice = "Write z"}.message() == "x is y. Write z");
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
