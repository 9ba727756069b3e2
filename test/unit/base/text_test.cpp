#include "base/text.hpp"

#include "support/results.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace almenara::base {

namespace {

constexpr std::uint64_t largest_number = ~std::uint64_t{0};

constexpr std::array<std::string_view, 5> commands{"status", "ping", "start", "stop", "put"};

} // namespace

TEST_CASE("readable text stays as it is") {
    const std::string text = GENERATE("", "plain ~ text", "Grüße", "日本語", "\U0001F525 fire",
                                      "\xed\x9f\xbf last before the surrogates",
                                      "\xee\x80\x80 first after them", "\xf4\x8f\xbf\xbf the last");
    CHECK(escaped(text) == text);
}

TEST_CASE("control characters are written, not obeyed") {
    CHECK(escaped("two\nlines\r\n\tand a tab") == R"(two\nlines\r\n\tand a tab)");
    CHECK(escaped("\x1b[2J") == R"(\x1b[2J)");
    CHECK(escaped("\a\b\x7f") == R"(\x07\x08\x7f)");
    CHECK(escaped(std::string_view{"\0", 1}) == R"(\x00)");
}

TEST_CASE("the C1 control characters are not obeyed either, however they are written") {
    CHECK(escaped("\x9b"
                  "2J") == R"(\x9b2J)");
    CHECK(escaped("\xc2\x9b"
                  "2J") == R"(\xc2\x9b2J)");
    CHECK(escaped("\xc2\x80") == R"(\xc2\x80)");
    CHECK(escaped("\xc2\xa0") == "\xc2\xa0"); // the first behind them
}

TEST_CASE("what ends a line or turns the direction of writing is written, not obeyed") {
    CHECK(escaped("a\xe2\x80\xa8"
                  "b") == R"(a\xe2\x80\xa8b)"); // line separator
    CHECK(escaped("\xe2\x80\xae"
                  "txt.exe") == R"(\xe2\x80\xaetxt.exe)"); // right-to-left override
    CHECK(escaped("\xe2\x81\xa6") == R"(\xe2\x81\xa6)");   // isolate
    CHECK(escaped("\xe2\x80\x8e") == R"(\xe2\x80\x8e)");   // left-to-right mark
    CHECK(escaped("\xe2\x80\x8f") == R"(\xe2\x80\x8f)");   // right-to-left mark
    CHECK(escaped("\xd8\x9c") == R"(\xd8\x9c)");           // Arabic letter mark
    const std::string beside = "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"
                               "\xe2\x80\x8d\xe2\x80\x90\xd8\x9b\xd8\x9d";
    CHECK(escaped(beside) == beside);
}

TEST_CASE("a byte order mark, which nobody sees, is written") {
    CHECK(escaped("\xef\xbb\xbf"
                  "alice") == R"(\xef\xbb\xbfalice)");
    CHECK(escaped("\xef\xbb\xbe\xef\xbc\x80") == "\xef\xbb\xbe\xef\xbc\x80"); // beside it
}

TEST_CASE("text is UTF-8 or it is not, whatever it steers") {
    CHECK(is_utf8(""));
    CHECK(is_utf8("Grüße\n\x1b"));
    CHECK_FALSE(is_utf8("Gr\xfc"
                        "ße"));
}

TEST_CASE("bytes that are not UTF-8 are written in hex") {
    const auto [bad, shown] = GENERATE(table<std::string, std::string>({
        {"\xff", R"(\xff)"},
        {"\x80", R"(\x80)"},                         // a continuation of nothing
        {"\xc0\xaf", R"(\xc0\xaf)"},                 // '/' in two bytes
        {"\xc1\xbf", R"(\xc1\xbf)"},                 // overlong too
        {"\xe0\x80\xaf", R"(\xe0\x80\xaf)"},         // '/' in three
        {"\xe0\x9f\xbf", R"(\xe0\x9f\xbf)"},         // the last overlong in three
        {"\xf0\x80\x80\xaf", R"(\xf0\x80\x80\xaf)"}, // '/' in four
        {"\xf0\x8f\xbf\xbf", R"(\xf0\x8f\xbf\xbf)"}, // the last overlong in four
        {"\xed\xa0\x80", R"(\xed\xa0\x80)"},         // the first surrogate
        {"\xed\xbf\xbf", R"(\xed\xbf\xbf)"},         // the last
        {"\xf4\x90\x80\x80", R"(\xf4\x90\x80\x80)"}, // beyond Unicode
        {"\xf5\x80\x80\x80", R"(\xf5\x80\x80\x80)"},
        {"\xc3", R"(\xc3)"}, // cut off
        {"\xe2\x82", R"(\xe2\x82)"},
        {"\xf0\x9f\x94", R"(\xf0\x9f\x94)"},
    }));
    CHECK(escaped(bad) == shown);
    CHECK(escaped("a" + bad + "b") == "a" + shown + "b");
    CHECK(escaped(bad + "ü") == shown + "ü");
}

TEST_CASE("what was escaped is not escaped again") {
    std::string all;
    for (unsigned byte = 0; byte < 256; ++byte) {
        all.push_back(static_cast<char>(byte));
    }
    CHECK(escaped(escaped(all)) == escaped(all));
}

TEST_CASE("a quoted name can neither leave its quotes nor steer a terminal") {
    CHECK(quoted("") == R"("")");
    CHECK(quoted("Grüße 1.0") == R"("Grüße 1.0")");
    CHECK(quoted(R"(a" b="c)") == R"("a\" b=\"c")");
    CHECK(quoted("\\") == R"("\\")");
    CHECK(quoted("\\\"") == R"("\\\"")");
    CHECK(quoted("\x1b[2J\n\xff") == R"("\x1b[2J\n\xff")");
}

TEST_CASE("two different names are never quoted alike") {
    CHECK(quoted("\n") != quoted(R"(\n)"));
    CHECK(quoted("\x1b") != quoted(R"(\x1b)"));
    CHECK(quoted(R"(\n)") == R"("\\n")");
}

TEST_CASE("a quoted name stays as it is in a line that is escaped") {
    const std::string name = quoted("a\\b\"\n\x80");
    CHECK(escaped(name) == name);
}

TEST_CASE("a slip of the hand is understood") {
    const auto [typed, meant] = GENERATE(table<std::string, std::string>({
        {"statsu", "status"}, // two letters swapped
        {"satus", "status"},  // one left out
        {"sttatus", "status"},
        {"stotus", "status"},
        {"pnig", "ping"},
        {"stat", "start"}, // one step, not two to status
        {"status", "status"},
    }));
    CHECK(nearest(typed, commands) == meant);
    CHECK(did_you_mean(typed, commands) == "Did you mean '" + meant + "'?");
}

TEST_CASE("another word is not a slip of the hand") {
    const std::string typed = GENERATE("", "x", "election", "tasutsx", "STATUS");
    CAPTURE(typed);
    CHECK_FALSE(nearest(typed, commands));
    CHECK(did_you_mean(typed, commands).empty());
}

TEST_CASE("of two candidates that are equally near the first is meant") {
    CHECK(nearest("sto", std::array<std::string_view, 2>{"stop", "stow"}) == "stop");
}

TEST_CASE("a word too long to be a slip is not compared at all") {
    const std::string longest(64, 'a');
    const std::string too_long(65, 'a');
    const std::array<std::string_view, 1> candidate{longest};
    CHECK(nearest(longest, candidate));
    CHECK_FALSE(nearest(too_long, candidate));
    CHECK_FALSE(nearest("word", {}));
}

TEST_CASE("a whole number is read between its bounds") {
    CHECK(test::value_of(parse_number("0", 0, 10)) == 0);
    CHECK(test::value_of(parse_number("10", 0, 10)) == 10);
    CHECK(test::value_of(parse_number("007", 0, 10)) == 7);
    CHECK(test::value_of(parse_number("18446744073709551615", 0, largest_number)) ==
          largest_number);
}

TEST_CASE("what is no whole number between the bounds is refused, and the bounds are named") {
    const std::string text = GENERATE("", " ", "1", "11", "-3", "+3", " 3", "3 ", "3.0", "0x3",
                                      "3e0", "three", "18446744073709551616");
    const error failure = test::failure_of(parse_number(text, 2, 10));
    CHECK(failure.code == errc::invalid);
    CHECK(failure.message() == "'" + text + "' is not a whole number from 2 to 10");
}

TEST_CASE("a size is bytes, or a number with a binary unit") {
    const auto [text, bytes] = GENERATE(table<std::string, std::uint64_t>({
        {"0", 0},
        {"4096", 4096},
        {"16KiB", 16U << 10U},
        {"4MiB", 4U << 20U},
        {"1GiB", 1U << 30U},
        {"2TiB", 2ULL << 40U},
        {"16777215TiB", 16777215ULL << 40U},
        {"18446744073709551615", largest_number},
    }));
    CHECK(test::value_of(parse_size(text)) == bytes);
}

TEST_CASE("a size that is none, or more than can be counted, is refused") {
    const std::string text = GENERATE("", "KiB", "-1KiB", "4 KiB", "4kib", "4K", "4KB", "1.5MiB",
                                      "4KiBKiB", "16777216TiB", "18446744073709551616");
    const error failure = test::failure_of(parse_size(text));
    CHECK(failure.code == errc::invalid);
    CHECK(test::says(failure, "'" + text + "' is not a size"));
}

TEST_CASE("a message about a bad number cannot steer the terminal it is shown on") {
    CHECK_FALSE(test::says(test::failure_of(parse_number("\x1b[2J", 0, 1)), "\x1b"));
    CHECK_FALSE(test::says(test::failure_of(parse_size("\x1b[2J")), "\x1b"));
}

TEST_CASE("blanks at both ends are trimmed, those within stay") {
    CHECK(trimmed("") == "");
    CHECK(trimmed(" \t\r ") == "");
    CHECK(trimmed("\t a b \r") == "a b");
    CHECK(trimmed("a") == "a");
}

} // namespace almenara::base
