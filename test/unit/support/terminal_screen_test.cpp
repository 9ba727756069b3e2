#include "support/terminal_screen.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using almenara::test::terminal_screen;

namespace {

using lines = std::vector<std::string>;

lines seen(std::string_view bytes, terminal_screen::size size = {.rows = 3, .columns = 10}) {
    terminal_screen screen{size};
    for (const char byte : bytes) {
        screen.feed({&byte, 1});
    }
    return screen.lines();
}

} // namespace

TEST_CASE("a screen shows what a terminal shows") {
    CHECK(seen("one\r\ntwo") == lines{"one", "two"});
    CHECK(seen("one\ntwo") == lines{"one", "   two"});
    CHECK(seen("abc\b\bx") == lines{"axc"});
    CHECK(seen("0123456789") == lines{"0123456789"});
    CHECK(seen("0123456789a") == lines{"0123456789", "a"});
    CHECK(seen("0123456789\rx") == lines{"x123456789"});
    CHECK(seen("1\r\n2\r\n3\r\n4") == lines{"1", "2", "3", "4"});
    CHECK(seen("Größe 日本") == lines{"Größe 日本"});
    CHECK(seen("12345678日本") == lines{"12345678日", "本"});
    CHECK(seen("123456789日") == lines{"123456789", "日"});
}

TEST_CASE("a screen obeys what a line editor tells it") {
    CHECK(seen("one\r\ntwo\x1b[A\rx") == lines{"xne", "two"});
    CHECK(seen("one\r\x1b[K") == lines{});
    CHECK(seen("one\r\ntwo\r\nthree\x1b[2A\r\x1b[J") == lines{});
    CHECK(seen("abcdef\x1b[4D\x1b[2P") == lines{"abef"});
    CHECK(seen("abcd\r\x1b[2C\x1b[@X") == lines{"abXcd"});
    CHECK(seen("abcd\x1b[2GX") == lines{"aXcd"});
    CHECK(seen("\x1b[2;3HX\x1b[HY") == lines{"Y", "  X"});
    CHECK(seen("\x1b[31;1mred\x1b[m") == lines{"red"});
    CHECK_THROWS(seen("\x1b[5Z"));
}

TEST_CASE("a screen knows whether pastes are asked for, and its new size") {
    terminal_screen screen{{.rows = 3, .columns = 10}};
    screen.feed("\x1b[?2004h");
    CHECK(screen.takes_pastes());
    screen.feed("0123456789\x1b[?2004l");
    CHECK_FALSE(screen.takes_pastes());
    screen.resize({.rows = 2, .columns = 5});
    CHECK(screen.cursor_line() == "01234");
    screen.feed("\r\nabcdef");
    CHECK(screen.lines() == lines{"01234", "abcde", "f"});
}
