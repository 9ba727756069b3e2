#include "server/hook_output.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

// --on-primary-change: what a script writes, in the log.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

constexpr instant now{1h};

} // namespace

TEST_CASE("on-primary-change: what a script writes comes line by line") {
    hook_output written;
    CHECK(written.take("", now).empty());
    CHECK(written.take("one", now).empty());
    CHECK(written.take(" line\n\ntwo\nth", now) == lines{"one line", "two"});
    CHECK(written.take("ree", now).empty());
    CHECK(written.end(now) == lines{"three"});
    CHECK(written.end(now).empty());
}

TEST_CASE("on-primary-change: a line without an end comes in pieces and is not kept") {
    hook_output written;
    const std::string piece(hook_output::longest_line, 'x');
    CHECK(written.take(piece + piece + "rest", now) == lines{piece, piece});
    CHECK(written.take("\n", now) == lines{"rest"});
    CHECK(written.take(piece + "\n", now) == lines{piece});
    CHECK(written.end(now).empty());
}

TEST_CASE(
    "style 11: a script that writes much is heard some times a second, and the rest counted") {
    hook_output written;
    std::size_t heard = 0;
    for (int number = 0; number < 1000; ++number) {
        heard += written.take("again\nand again\n", now).size();
    }
    CHECK(heard == hook_output::lines_in_a_second);
    CHECK(written.take("later\n", now + 1s) == lines{"later"});
    CHECK(written.end(now + 1s) == lines{"(1980 more lines)"});
}

} // namespace almenara::server
