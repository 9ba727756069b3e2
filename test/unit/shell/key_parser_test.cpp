#include "shell/key_parser.hpp"

#include "shell/wide_text.hpp"

#include <catch2/catch_all.hpp>

#include <set>
#include <string>
#include <string_view>

using namespace almenara::cli;

namespace {

std::string_view name_of(key_parser::notice what) {
    switch (what) {
    case key_parser::notice::interrupt:
        return "<interrupt>";
    case key_parser::notice::suspend:
        return "<suspend>";
    case key_parser::notice::quit:
        return "<quit>";
    case key_parser::notice::paste_too_long:
        break;
    }
    return "<too long>";
}

/// What comes out, with pastes in brackets.
std::string read_all(key_parser& keys) {
    std::string text;
    while (const auto event = keys.next()) {
        if (const auto* const paste = std::get_if<key_parser::paste>(&*event)) {
            text += "[" + paste->text + "]";
        } else if (const auto* const notice = std::get_if<key_parser::notice>(&*event)) {
            text += name_of(*notice);
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

/// What comes out, wherever the two pieces meet.
std::set<std::string> read_in_two_pieces(std::string_view whole) {
    std::set<std::string> texts;
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        key_parser keys;
        keys.feed(whole.substr(0, cut));
        const std::string first = read_all(keys);
        keys.feed(whole.substr(cut));
        texts.insert(first + read_all(keys));
    }
    return texts;
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
    CHECK(read("\x1b[200~\x04\x1a\x1c \x1b[31mred\t\x7f\x1b[201~") == "[ [31mred\t]");
}

TEST_CASE("a paste may come in any pieces") {
    CHECK(read_in_two_pieces("x\x1b[200~one \x1b[ two\x1b[201~y") ==
          std::set<std::string>{"x[one [ two]y"});
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

TEST_CASE("a paste that is too long is dropped as a whole, and what is typed behind it is not") {
    const auto pasted = [](std::size_t size) {
        const std::string text = read("\x1b[200~" + std::string(size, 'a') + "\x1b[201~kv get b\r");
        return text.size() > 100 ? std::to_string(text.size()) : text;
    };
    const std::string_view typed = "kv get b\r";
    CHECK(pasted(key_parser::largest_paste) ==
          std::to_string(key_parser::largest_paste + 2 + typed.size()));
    CHECK(pasted(key_parser::largest_paste + 1) == "<too long>kv get b\r");
}

TEST_CASE("a paste without an end is not kept in memory, whatever its pieces are") {
    key_parser keys;
    keys.feed("\x1b[200~");
    for (int i = 0; i < 300; ++i) {
        keys.feed(std::string(4096, 'a'));
        CHECK(read_all(keys).empty());
        CHECK_FALSE(keys.is_in_doubt());
        CHECK_FALSE(keys.is_giving_up_paste());
    }
    keys.feed("\x1b[201~b\x1b[200~c\x1b[201~");
    CHECK(read_all(keys) == "<too long>b[c]");
}

TEST_CASE("Ctrl-C, Ctrl-Z and the key that quits are keys like others, in their place") {
    CHECK(read("ab\x03kv\x1a\r") == "ab<interrupt>kv<suspend>\r");
    CHECK(read("ab\x1ckv\x1b[200~c\x1c\x1b[201~\x1c") == "ab<quit>kv[c]<quit>");
    CHECK(read("\xe6\x97\x03") == "\uFFFD<interrupt>");
    key_parser others{{.interrupt = '\x18', .suspend = std::nullopt}};
    others.feed(std::string_view{"\x03\x18\x1a\0", 4});
    CHECK(read_all(others) == std::string("\x03<interrupt>\x1a\0", 14));
}

TEST_CASE("an interrupt in a paste drops all of it, up to its bracket") {
    CHECK(read("\x1b[200~abc\x03kv put pwn 1\n\x1b[201~x") == "<interrupt>x");
    CHECK(read("\x1b[200~abc\x03\x03\x1b[201~x\x03") == "<interrupt>x<interrupt>");
    CHECK(read_in_two_pieces("\x1b[200~abc\x03kv put pwn 1\n\x1b[201~x") ==
          std::set<std::string>{"<interrupt>x"});
}

TEST_CASE("an interrupt in a paste whose bracket never comes ends it once nothing follows") {
    key_parser keys;
    keys.feed("\x1b[200~abc");
    CHECK(read_all(keys).empty());
    CHECK_FALSE(keys.is_giving_up_paste());
    SECTION("as a key") {
        keys.feed("\x03");
    }
    SECTION("from somebody else") {
        CHECK(keys.give_up_paste());
    }
    CHECK(read_all(keys).empty());
    CHECK(keys.is_giving_up_paste());
    keys.feed("kv put pwn 1\r");
    CHECK(read_all(keys).empty());
    keys.end_doubt();
    CHECK(read_all(keys) == "<interrupt>");
    CHECK_FALSE(keys.is_giving_up_paste());
    keys.feed("kv get a\r");
    CHECK(read_all(keys) == "kv get a\r");
    CHECK_FALSE(keys.give_up_paste());
}
