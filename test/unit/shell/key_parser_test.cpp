#include "shell/key_parser.hpp"

#include "shell/wide_text.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>

using namespace almenara::cli;

namespace {

/// What comes out, with pastes in brackets.
std::string read_all(key_parser& keys) {
    std::string text;
    while (const auto event = keys.next()) {
        if (const auto* const paste = std::get_if<key_parser::paste>(&*event)) {
            text += "[" + paste->text + "]";
        } else {
            text += to_utf8(std::wstring(1, static_cast<wchar_t>(std::get<char32_t>(*event))));
        }
    }
    return text;
}

std::string read(std::string_view bytes) {
    key_parser keys;
    keys.feed(bytes);
    return read_all(keys);
}

} // namespace

TEST_CASE("keys are whole characters, however their bytes come") {
    CHECK(read("kv put Größe 日本 😀") == "kv put Größe 日本 😀");
    key_parser keys;
    std::string text;
    for (const char byte : std::string_view{"Größe 😀"}) {
        keys.feed({&byte, 1});
        text += read_all(keys);
    }
    CHECK(text == "Größe 😀");
    CHECK_FALSE(keys.is_in_doubt());
}

TEST_CASE("bytes that are no characters are shown as such") {
    CHECK(read("a\xff\x80z") == "a\uFFFD\uFFFDz");
    CHECK(read("\xc3(") == "\uFFFD(");
    CHECK(read("\xed\xa0\x80") == "\uFFFD");     // a surrogate
    CHECK(read("\xe0\x80\xaf") == "\uFFFD");     // too long for what it is
    CHECK(read("\xf4\x90\x80\x80") == "\uFFFD"); // behind the last one
}

TEST_CASE("what is pasted is one piece, in which nothing is a key") {
    CHECK(read("a\x1b[200~kv put b 2\x1b[201~c") == "a[kv put b 2]c");
    CHECK(read("\x1b[200~one\rtwo\r\nthree\nfour\n\r\n\x1b[201~") == "[one\ntwo\nthree\nfour]");
    CHECK(read("\x1b[200~\x03\x04 \x1b[31mred\t\x7f\x1b[201~") == "[ [31mred\t]");
}

TEST_CASE("a paste may come in any pieces") {
    const std::string_view whole = "x\x1b[200~one \x1b[ two\x1b[201~y";
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        key_parser keys;
        keys.feed(whole.substr(0, cut));
        std::string text = read_all(keys);
        keys.feed(whole.substr(cut));
        CHECK(text + read_all(keys) == "x[one [ two]y");
    }
}

TEST_CASE("an escape alone is a key once nothing follows") {
    key_parser keys;
    keys.feed("\x1b");
    CHECK(read_all(keys).empty());
    CHECK(keys.is_in_doubt());
    keys.end_doubt();
    CHECK(read_all(keys) == "\x1b");
    keys.feed("\x1b[A");
    CHECK(read_all(keys) == "\x1b[A");
    keys.feed("\x1b[20");
    CHECK(read_all(keys).empty());
    keys.end_doubt();
    CHECK(read_all(keys) == "\x1b[20");
}

TEST_CASE("half a character is none once nothing follows") {
    key_parser keys;
    keys.feed("\xe6\x97");
    CHECK(read_all(keys).empty());
    keys.end_doubt();
    CHECK(read_all(keys) == "\uFFFD");
}

TEST_CASE("a paste without an end is not kept in memory") {
    key_parser keys;
    keys.feed("\x1b[200~");
    for (int i = 0; i < 200; ++i) {
        keys.feed(std::string(4096, 'a'));
        CHECK(read_all(keys).empty());
        CHECK_FALSE(keys.is_in_doubt());
    }
    keys.feed("\x1b[201~");
    CHECK(read_all(keys).size() == key_parser::largest_paste + 2);
}
