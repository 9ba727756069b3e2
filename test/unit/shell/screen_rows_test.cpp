#include "shell/screen_rows.hpp"

#include <catch2/catch_all.hpp>

#include <clocale>
#include <string>

using namespace almenara::cli;

TEST_CASE("the cursor is found where libedit leaves it") {
    std::setlocale(LC_CTYPE, "C.UTF-8");
    const auto at = [](std::wstring_view line) { return spot_behind(L"> ", line, 10); };
    CHECK(at(L"") == screen_spot{0, 2});
    CHECK(at(L"abc") == screen_spot{0, 5});
    CHECK(at(L"1234567") == screen_spot{0, 9});
    CHECK(at(L"12345678") == screen_spot{1, 0}); // The margin is never stood on.
    CHECK(at(L"123456789") == screen_spot{1, 1});
    CHECK(at(L"a\nb") == screen_spot{1, 1});
    CHECK(at(L"12345678\nb") == screen_spot{2, 1});
    CHECK(at(L"a\tb") == screen_spot{0, 9});
    CHECK(at(L"\x01") == screen_spot{0, 4});
    CHECK(at(L"日本") == screen_spot{0, 6});
    CHECK(at(L"1234567日") == screen_spot{1, 2}); // A wide one is never cut in half.
    CHECK(at(L"e\u0301") == screen_spot{0, 3});
    std::setlocale(LC_CTYPE, "C");
}
