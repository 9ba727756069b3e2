#include "wire/codec.hpp"

#include "base/ids.hpp"
#include "support/bytes.hpp"
#include "support/printing.hpp"
#include "support/results.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace almenara::wire::codec_test {

enum class colour : std::uint8_t { red, green };
ALMENARA_DESCRIBE_ENUM(colour, red, green)
enum class wide : std::uint16_t { first };
enum class light : std::uint16_t { red = 1, green = 0x100 };

struct nothing {};
ALMENARA_DESCRIBE(nothing)

struct point {
    std::uint32_t x = 0;
    std::uint32_t y = 0;
};
ALMENARA_DESCRIBE(point, x, y)

struct has_defaults {
    std::uint32_t number = 7;
    std::string text = "default";
    std::optional<std::uint32_t> maybe = 5;
    std::vector<std::uint32_t> list{1, 2};
};
ALMENARA_DESCRIBE(has_defaults, number, text, maybe, list)

namespace {

template <class T>
std::string hex_of(const T& value) {
    base::byte_vector bytes(encoded_size(value));
    const std::byte* const end = put(bytes.data(), value);
    CHECK(end == bytes.data() + bytes.size());
    return base::to_hex(bytes);
}

/// Reads a value that must take all of the bytes.
template <class T>
result<T> read(std::string_view hex) {
    const base::byte_vector bytes = test::from_hex(hex);
    reader in{bytes};
    T value{};
    get(in, value);
    if (in.failed()) {
        return decode_error("value", in.failure());
    }
    CHECK(in.remaining() == 0);
    return value;
}

template <class T>
errc refusal_of(std::string_view hex) {
    return test::failure_of(read<T>(hex)).code;
}

/// What has exactly one form: it is written so, and read back from it.
template <class T>
void check_form(const T& value, std::string_view hex) {
    CHECK(hex_of(value) == base::to_hex(test::from_hex(hex)));
    CHECK(test::value_of(read<T>(hex)) == value);
}

} // namespace

TEST_CASE("a number is a varint, seven bits a byte, the low ones first") {
    check_form<std::uint64_t>(0, "00");
    check_form<std::uint64_t>(1, "01");
    check_form<std::uint64_t>(127, "7f");
    check_form<std::uint64_t>(128, "80 01");
    check_form<std::uint64_t>(300, "ac 02");
    check_form<std::uint64_t>(16383, "ff 7f");
    check_form<std::uint64_t>(16384, "80 80 01");
    check_form<std::uint64_t>(std::numeric_limits<std::uint64_t>::max(), "ffffffffffffffffff 01");
    check_form<std::uint16_t>(65535, "ff ff 03");
}

TEST_CASE("a varint has one form only: the shortest") {
    CHECK(refusal_of<std::uint64_t>("80 00") == errc::malformed);
    CHECK(refusal_of<std::uint64_t>("81 80 00") == errc::malformed);
    CHECK(refusal_of<std::uint64_t>("ffffffffffffffffff 00") == errc::malformed);
}

TEST_CASE("a varint of more than 64 bits is refused, not cut") {
    CHECK(refusal_of<std::uint64_t>("ffffffffffffffffff 02") == errc::malformed);
    CHECK(refusal_of<std::uint64_t>("ffffffffffffffffff 81 01") == errc::malformed);
    CHECK(refusal_of<std::uint64_t>("ffffffffffffffffff ff 01") == errc::malformed);
}

TEST_CASE("a varint that does not end is truncated") {
    CHECK(refusal_of<std::uint64_t>("") == errc::truncated);
    CHECK(refusal_of<std::uint64_t>("80") == errc::truncated);
    CHECK(refusal_of<std::uint64_t>("ffffffffffffffffff") == errc::truncated);
}

TEST_CASE("a number too large for its member is refused, not cut") {
    CHECK(refusal_of<std::uint16_t>("80 80 04") == errc::malformed);
    CHECK(refusal_of<std::uint32_t>("80 80 80 80 10") == errc::malformed);
    CHECK(refusal_of<server_id>("80 80 04") == errc::malformed);
    CHECK(refusal_of<colour>("80 02") == errc::malformed);
    CHECK(refusal_of<base::flags<light>>("80 80 04") == errc::malformed);
}

TEST_CASE("a byte is itself") {
    check_form<std::uint8_t>(0, "00");
    check_form<std::uint8_t>(255, "ff");
}

TEST_CASE("a signed number is zigzag: small ones of both signs are short") {
    check_form<std::int64_t>(0, "00");
    check_form<std::int64_t>(-1, "01");
    check_form<std::int64_t>(1, "02");
    check_form<std::int64_t>(-64, "7f");
    check_form<std::int64_t>(64, "80 01");
    check_form(std::numeric_limits<std::int64_t>::max(), "feffffffffffffffff 01");
    check_form(std::numeric_limits<std::int64_t>::min(), "ffffffffffffffffff 01");
    check_form<std::int8_t>(-128, "ff 01");
    CHECK(refusal_of<std::int8_t>("80 02") == errc::malformed);
}

TEST_CASE("truth is 0 or 1 and nothing else") {
    check_form(false, "00");
    check_form(true, "01");
    CHECK(refusal_of<bool>("02") == errc::malformed);
    CHECK(refusal_of<std::optional<bool>>("02 00") == errc::malformed);
}

TEST_CASE("enums, flags, ids and counts travel as their numbers") {
    check_form(colour::green, "01");
    check_form(base::flags<light>{light::red, light::green}, "81 02");
    check_form(server_id{300}, "ac 02");
    check_form(base::strong<struct small_tag, std::uint8_t>{200}, "c8 01");
}

TEST_CASE("values that only a newer peer knows are kept") {
    check_form(static_cast<colour>(200), "c8 01");
    check_form(static_cast<wide>(65535), "ff ff 03");
    check_form(base::flags<light>::from_bits(0xffff), "ff ff 03");
}

TEST_CASE("opaque bytes travel as they are, without a length") {
    check_form(std::array<std::byte, 2>{std::byte{0xab}, std::byte{0xcd}}, "ab cd");
    cluster_id::rep cluster{};
    cluster[15] = std::byte{1};
    check_form(cluster_id{cluster}, "00000000000000000000000000000001");
    CHECK(refusal_of<cluster_id>("000000000000000000000000000000") == errc::truncated);
}

TEST_CASE("text and bytes are their length and themselves") {
    check_form(std::string{}, "00");
    check_form(std::string{"abc"}, "03 616263");
    check_form(std::string("\0\xff", 2), "02 00ff");
    check_form(test::from_hex("00ff"), "02 00ff");
    CHECK(hex_of(std::string(200, 'a')).substr(0, 4) == "c801");
    CHECK(refusal_of<std::string>("03 6162") == errc::truncated);
}

TEST_CASE("a secret travels like its value") {
    check_form(base::secret<std::string>{"abc"}, "03 616263");
}

TEST_CASE("an optional says first whether it is there") {
    check_form(std::optional<std::uint32_t>{}, "00");
    check_form(std::optional<std::uint32_t>{5}, "01 05");
    CHECK(refusal_of<std::optional<std::uint32_t>>("01") == errc::truncated);
}

TEST_CASE("a vector is its count and its elements") {
    check_form(std::vector<std::uint32_t>{}, "00");
    check_form(std::vector<std::uint32_t>{1, 128}, "02 01 8001");
    check_form(std::vector<std::string>{"a", ""}, "02 0161 00");
    CHECK(refusal_of<std::vector<std::uint32_t>>("02 01") == errc::truncated);
    CHECK(refusal_of<std::vector<cluster_id>>("01 00") == errc::truncated);
}

TEST_CASE("a duration counts its own unit") {
    check_form(std::chrono::milliseconds{1}, "02");
    check_form(duration{-1}, "01");
    check_form(std::chrono::seconds{64}, "80 01");
}

TEST_CASE("a time is its milliseconds since 1970, before it too") {
    check_form(wall_time{std::chrono::milliseconds{150}}, "ac 02");
    check_form(wall_time{std::chrono::milliseconds{-1}}, "01");
    check_form(wall_time{std::chrono::milliseconds::min()}, "ffffffffffffffffff 01");
}

// Otherwise the receiver's first step, to make nanoseconds of it, would overflow.
TEST_CASE("a duration that nanoseconds cannot count is refused") {
    using std::chrono::milliseconds;
    const auto longest = std::chrono::duration_cast<milliseconds>(duration::max());
    check_form(longest, hex_of(longest));
    check_form(-longest, hex_of(-longest));
    CHECK(refusal_of<milliseconds>(hex_of(longest + milliseconds{1})) == errc::malformed);
    CHECK(refusal_of<milliseconds>(hex_of(-longest - milliseconds{1})) == errc::malformed);
    CHECK(refusal_of<std::chrono::hours>(hex_of(milliseconds::max())) == errc::malformed);
    check_form(duration::max(), hex_of(duration::max()));
    check_form(duration::min(), hex_of(duration::min()));
}

TEST_CASE("a struct is its length and its members in order") {
    check_form(nothing{}, "00");
    check_form(point{1, 128}, "03 01 8001");
    check_form(std::vector<point>{{1, 2}, {3, 4}}, "02 020102 020304");
}

TEST_CASE("a struct longer than the bytes is truncated, however its members end") {
    CHECK(refusal_of<point>("") == errc::truncated);
    CHECK(refusal_of<point>("02 01") == errc::truncated);
    CHECK(refusal_of<point>("03 01 02") == errc::truncated);
}

TEST_CASE("a struct too short for its first members leaves the bytes behind it alone") {
    const base::byte_vector bytes = test::from_hex("01 80 01 02");
    CHECK(test::failure_of(decode_front<point>(bytes)).code == errc::truncated);
}

TEST_CASE("what is absent or empty on the wire is so after reading, whatever the default") {
    const has_defaults emptied{.number = 0, .text = "", .maybe = std::nullopt, .list = {}};
    check_form(emptied, "04 00 00 00 00");
    check_form(has_defaults{.number = 1, .text = "a", .maybe = 2, .list = {3}},
               "07 01 0161 0102 0103");
}

TEST_CASE("members that did not come keep their default") {
    CHECK(test::value_of(read<has_defaults>("00")) == has_defaults{});
    CHECK(test::value_of(read<has_defaults>("01 01")) == has_defaults{.number = 1});
}

TEST_CASE("a struct may be written behind what is already there") {
    base::byte_vector out = test::from_hex("ee");
    encode(point{1, 2}, out);
    encode(nothing{}, out);
    CHECK(base::to_hex(out) == "ee02010200");
}

TEST_CASE("behind a message nothing may follow, unless an attachment is expected") {
    const base::byte_vector bytes = test::from_hex("02 0102 0a0b");
    CHECK(test::failure_of(decode<point>(bytes)).code == errc::malformed);

    const auto front = test::value_of(decode_front<point>(bytes));
    CHECK(front.value == point{1, 2});
    CHECK(base::to_hex(front.rest) == "0a0b");
}

TEST_CASE("the first failure sticks, and nothing is read behind it") {
    const base::byte_vector bytes = test::from_hex("80 00 05 06");
    reader in{bytes};
    CHECK(in.varint() == 0);
    CHECK(in.failed());
    CHECK(in.failure() == errc::malformed);
    CHECK(in.varint() == 0);
    CHECK(in.byte() == 0);
    CHECK(in.bytes(1).empty());
    CHECK(in.failure() == errc::malformed);
    CHECK(in.remaining() == 0);
}

TEST_CASE("a failure names the message and what is wrong with it") {
    const error failure = test::failure_of(decode<point>(test::from_hex("03 01")));
    CHECK(failure.message() == "reading point: the bytes end too early");
    CHECK(decode_error("point", errc::malformed).message() ==
          "reading point: the bytes cannot be a value of this type");
    CHECK(decode_error("point", errc::too_deep).message() ==
          "reading point: structs are nested too deep");
    CHECK(decode_error("point", errc::too_large).message() ==
          "reading point: a count is too large for its message");
}

} // namespace almenara::wire::codec_test
