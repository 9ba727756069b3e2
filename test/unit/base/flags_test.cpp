#include "base/flags.hpp"

#include <catch2/catch_all.hpp>

#include <concepts>
#include <cstdint>

namespace almenara::base {

namespace {

enum class light : std::uint8_t { red = 1, green = 2, blue = 4, white = 7 };
enum class sound : std::uint8_t { horn = 1 };
enum class signed_light : int { red = 1 };

using lights = flags<light>;

template <class Enum>
concept can_be_flags = requires { typename flags<Enum>; };

static_assert(can_be_flags<light>);
static_assert(!can_be_flags<signed_light>, "bits of a signed type would change in a shift");
static_assert(!can_be_flags<unsigned>);
static_assert(!std::convertible_to<std::uint8_t, lights>, "bits are taken only with from_bits");
static_assert(!std::equality_comparable_with<lights, flags<sound>>);
static_assert(flags_type<lights> && !flags_type<light>);

} // namespace

TEST_CASE("a flag is there from being set until being cleared") {
    lights lit;
    CHECK_FALSE(lit.has(light::red));
    lit.set(light::red).set(light::blue);
    CHECK(lit.has(light::red));
    CHECK_FALSE(lit.has(light::green));
    CHECK(lit == lights{light::blue, light::red});
    lit.clear(light::red);
    CHECK(lit == lights{light::blue});
    CHECK(lit.clear(light::red) == lights{light::blue});
}

TEST_CASE("a flag of several bits is there only with all of them") {
    CHECK_FALSE(lights{light::red, light::green}.has(light::white));
    CHECK(lights{light::red, light::green, light::blue}.has(light::white));
}

TEST_CASE("bits without a name are kept") {
    const auto newer = lights::from_bits(0x81);
    CHECK(newer.bits() == 0x81);
    CHECK(newer.has(light::red));
    CHECK(lights{newer}.clear(light::red).bits() == 0x80);
}

} // namespace almenara::base
