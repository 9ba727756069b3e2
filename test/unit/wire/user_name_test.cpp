#include "wire/user_name.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace almenara {

TEST_CASE("F: a user's name can be seen and has no spaces") {
    CHECK(wire::is_user_name("a"));
    CHECK(wire::is_user_name("Jos\xc3\xa9@example.org"));
    CHECK(wire::is_user_name(std::string(64, 'x')));
    const std::string bad =
        GENERATE(as<std::string>{}, "", std::string(65, 'x'), "a b", "a\tb", "a\n",
                 std::string("a\0b", 3), "\x7f", "\xff", "a\xc3", "a\xc2\x85", "a\xc2\xa0",
                 "a\xe2\x80\xae", "\xe2\x80\x8b", "\xe3\x80\x80", "\xef\xbb\xbf");
    CAPTURE(bad);
    CHECK_FALSE(wire::is_user_name(bad));
}

} // namespace almenara
