#include "shell/words.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace almenara::cli;

namespace {

using words = std::vector<std::string>;

words split(std::string_view line) {
    const auto found = split_line(line);
    if (!found) {
        FAIL(line << ": " << found.error().text());
    }
    return *found;
}

std::string told(std::string_view line) {
    const auto found = split_line(line);
    REQUIRE(found.has_error());
    CHECK(found.error().exit == exit_code::usage);
    return found.error().text();
}

/// How a line looks to who completes it: words in brackets, and how it ends.
std::string picture(std::string_view line) {
    const scanned_line found = scan_line(line);
    std::string text;
    for (const typed_word& each : found.words) {
        text += "[" + each.text + "]";
    }
    switch (found.end) {
    case line_end::blank:
        return text + " blank";
    case line_end::word:
        return text + " word";
    case line_end::single_quote:
        return text + " '";
    case line_end::double_quote:
        return text + " \"";
    case line_end::backslash:
        return text + " \\";
    case line_end::comment:
        return text + " #";
    }
    return text;
}

} // namespace

TEST_CASE("a line is cut at blanks") {
    CHECK(split("").empty());
    CHECK(split("   \t ").empty());
    CHECK(split("  kv  put\tcolour blue \r") == words{"kv", "put", "colour", "blue"});
}

TEST_CASE("quotes keep together what they enclose, and may stand within a word") {
    CHECK(split("kv put 'my key' \"my value\"") == words{"kv", "put", "my key", "my value"});
    CHECK(split("a'b c'd\"e f\"g") == words{"ab cde fg"});
    CHECK(split("'' \"\"") == words{"", ""});
    CHECK(split(R"('a\b' "it's" 'say "hi"')") == words{R"(a\b)", "it's", R"(say "hi")"});
}

TEST_CASE("a backslash takes the next character as it is, in double quotes before \" and \\ only") {
    CHECK(split(R"(a\ b \# \' \\)") == words{"a b", "#", "'", "\\"});
    CHECK(split(R"("a\"b" "a\\b" "a\nb")") == words{"a\"b", "a\\b", "a\\nb"});
}

TEST_CASE("# at the beginning of a word begins a comment") {
    CHECK(split("# nothing at all").empty());
    CHECK(split("status # how is it?") == words{"status"});
    CHECK(split("kv get a#b 'c #d'") == words{"kv", "get", "a#b", "c #d"});
    CHECK(split("# it's").empty());
}

TEST_CASE("what is never closed is told with its column, in characters") {
    CHECK(told("kv put 'a") == "column 8: the quote ' that opens here is never closed. "
                               "Close it, or write \\' for the quote itself.");
    CHECK(told("kv put Größe \"a'").starts_with("column 14: the quote \" that opens here"));
    CHECK(told("kv put a\\") == "column 9: nothing stands behind this backslash. "
                                "Write '\\\\' for a backslash itself.");
}

TEST_CASE("a line that is not finished says in what it ends") {
    CHECK(picture("kv pu") == "[kv][pu] word");
    CHECK(picture("kv ") == "[kv] blank");
    CHECK(picture("kv get 'my k") == "[kv][get][my k] '");
    CHECK(picture("kv get \"my \\\"") == "[kv][get][my \"] \"");
    CHECK(picture("kv get my\\") == "[kv][get][my] \\");
    CHECK(picture("kv # get") == "[kv] #");
    CHECK(picture("'a'") == "[a] word");
    const scanned_line found = scan_line("kv get 'my k");
    CHECK(found.words.back() == typed_word{.text = "my k", .begin = 7, .end = 12});
    CHECK(found.opened_at == 7);
}

TEST_CASE("a quoted word is read back as it was") {
    for (const std::string word : {"plain", "", "two words", "it's", "say \"hi\"", "both ' and \"",
                                   "back\\slash", "#no", "Größe", "tab\there", "it's a \\"}) {
        CAPTURE(word);
        CHECK(split(quoted_word(word)) == words{word});
    }
    CHECK(quoted_word("plain") == "plain");
    CHECK(quoted_word("two words") == "'two words'");
}
