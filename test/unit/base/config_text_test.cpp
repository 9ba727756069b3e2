#include "base/config_text.hpp"

#include "support/results.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace almenara::base {

namespace {

std::vector<config_entry> parsed(std::string_view text) {
    return test::value_of(parse_config_text(text));
}

std::string refusal(std::string_view text) {
    const error failure = test::failure_of(parse_config_text(text));
    CHECK(failure.code == errc::invalid);
    return failure.message();
}

} // namespace

TEST_CASE("a configuration file gives keys with their sections, values and lines") {
    const auto entries = parsed("# who and where\n"
                                "data-dir = /var/lib/almenara\n"
                                "\n"
                                "[limits]\n"
                                "; a comment too\n"
                                "  max_clients =  100  \n"
                                "[ log ]\n"
                                "level=debug");
    CHECK(entries == std::vector<config_entry>{
                         {"data-dir", "/var/lib/almenara", 2},
                         {"limits.max_clients", "100", 6},
                         {"log.level", "debug", 8},
                     });
}

TEST_CASE("a configuration file may be empty, or end without a new line") {
    CHECK(parsed("").empty());
    CHECK(parsed("\n\n").empty());
    CHECK(parsed("a=1").size() == 1);
    CHECK(parsed("a=1\n").size() == 1);
}

TEST_CASE("a configuration file written on Windows is read the same") {
    CHECK(parsed("[a]\r\nb = c\r\n") == std::vector<config_entry>{{"a.b", "c", 2}});
}

TEST_CASE("a configuration value may be empty and may hold = and #") {
    CHECK(parsed("a =").at(0).value.empty());
    CHECK(parsed("a = b=c # d").at(0).value == "b=c # d");
    CHECK(parsed(R"(path = C:\new\x1b)").at(0).value == R"(C:\new\x1b)");
    CHECK(parsed("name = Müller").at(0).value == "Müller");
}

TEST_CASE("a key that stands twice is given twice: whoever knows the keys judges") {
    CHECK(parsed("a=1\na=2").size() == 2);
}

TEST_CASE("a bad line in a configuration file is named by its number") {
    const auto [line, what] = GENERATE(table<std::string, std::string>({
        {"almenara", "'almenara' is not 'key = value'"},
        {"= 5", "'' is not a key"},
        {"Max = 5", "'Max' is not a key: small letters, digits, '-' and '_' only"},
        {"max clients = 5", "'max clients' is not a key"},
        {"a.b = 5", "'a.b' is not a key"},
        {"\xef\xbb\xbf"
         "a = 5",
         "is not a key"},
        {"[", "a section is written as [name]"},
        {"[]", "a section is written as [name]"},
        {"[ ]", "a section is written as [name]"},
        {"[limits", "a section is written as [name]"},
        {"[limits] # why", "a section is written as [name]"},
        {"[Limits]", "a section is written as [name]"},
        {"a = b\tc", "control characters"},
        {"a = \x1b[2J", "control characters"},
        {"a = \xff", "not UTF-8"},
    }));
    CAPTURE(line);
    const std::string message = refusal("ok = 1\n\n" + line + "\nbehind = 2\n");
    CHECK(message.find("line 3: ") == 0);
    CHECK(message.find(what) != std::string::npos);
}

TEST_CASE("what a configuration file's error repeats is short and harmless") {
    CHECK(refusal(std::string(100'000, 'x')).size() < 200);
    CHECK(refusal("\x1b[2J").find('\x1b') == std::string::npos);
    CHECK(refusal(std::string{"a\0b = c", 7}).find(R"('a\x00b' is not a key)") !=
          std::string::npos);
}

} // namespace almenara::base
