#include "base/bytes.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace almenara::base {

TEST_CASE("bytes are written as two small hex digits each") {
    CHECK(to_hex({}).empty());
    CHECK(to_hex(as_bytes(std::string_view{"\x00\x0f\xf0\xff", 4})) == "000ff0ff");
}

TEST_CASE("hex is read in both cases and back to the same bytes") {
    const auto bytes = from_hex("00fFAb9c");
    REQUIRE(bytes);
    CHECK(to_hex(*bytes) == "00ffab9c");
    CHECK(from_hex("")->empty());
}

TEST_CASE("hex with a stray character or half a byte is refused") {
    const std::string text = GENERATE("0", "000", "0g", "g0", "0x", " 00", "00 ", "-1", "\xc3\xa4");
    CAPTURE(text);
    CHECK_FALSE(from_hex(text));
}

TEST_CASE("every byte survives the way to hex and back") {
    byte_vector all;
    for (unsigned value = 0; value < 256; ++value) {
        all.push_back(static_cast<std::byte>(value));
    }
    CHECK(from_hex(to_hex(all)) == all);
}

TEST_CASE("text and bytes are views of the same memory") {
    const std::string text = "beacon";
    CHECK(as_text(as_bytes(text)) == text);
    CHECK(as_text(as_bytes(text)).data() == text.data());
}

} // namespace almenara::base
