#include "base/secret.hpp"

#include <catch2/catch_all.hpp>

#include <concepts>
#include <sstream>
#include <string>

namespace almenara::base {

namespace {

using password = secret<std::string>;

static_assert(!std::convertible_to<std::string, password>, "a secret is made on purpose");
static_assert(!std::convertible_to<password, std::string>, "and shown on purpose");
static_assert(secret_type<password> && !secret_type<std::string>);

} // namespace

TEST_CASE("F: a secret is never printed, however it is printed") {
    const password mine{"correct horse"};
    std::ostringstream out;
    out << mine;
    CHECK(out.str() == "***");
    CHECK(fmt::format("{}", mine) == "***");
    CHECK(fmt::format("{:>5}", mine) == "  ***");
    CHECK(Catch::Detail::stringify(mine) == "***");
}

TEST_CASE("a secret shows itself to who asks, and can be compared") {
    password mine{"a"};
    CHECK(mine.reveal() == "a");
    mine.reveal() += "b";
    CHECK(mine == password{"ab"});
    CHECK(mine != password{"a"});
}

} // namespace almenara::base
