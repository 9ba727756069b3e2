#include "base/hash.hpp"

#include "support/last_words.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace almenara::base {

namespace {

/// The bytes over which xxHash's own sanity test takes its sums.
byte_vector xxhash_sanity_bytes(std::size_t count) {
    byte_vector bytes;
    std::uint64_t state = 2654435761U;
    for (std::size_t i = 0; i < count; ++i) {
        bytes.push_back(static_cast<std::byte>(state >> 56U));
        state *= 11400714785074694797U;
    }
    return bytes;
}

byte_vector counting_bytes(std::size_t count) {
    byte_vector bytes;
    for (std::size_t i = 0; i < count; ++i) {
        bytes.push_back(static_cast<std::byte>(i));
    }
    return bytes;
}

/// 00 01 02 ... 1f, the key of BLAKE2's and libsodium's own test vectors.
key256 counting_key() {
    std::array<std::byte, 32> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(i);
    }
    return key256{bytes};
}

} // namespace

TEST_CASE("XXH3 gives the sums of xxHash's sanity test") {
    struct vector {
        std::size_t length;
        std::uint64_t seed;
        std::uint64_t sum;
    };
    constexpr std::uint64_t prime = 0x9e3779b185ebca8d;
    // One pair for each way XXH3 treats a length.
    const auto [length, seed, sum] = GENERATE(values<vector>({
        {0, 0, 0x2d06800538d394c2},    {0, prime, 0xa8a6b918b2f0364a},
        {1, 0, 0xc44bdff4074eecdb},    {1, prime, 0x032be332dd766ef8},
        {6, 0, 0x27b56a84cd2d7325},    {6, prime, 0x84589c116ab59ab9},
        {12, 0, 0xa713daf0dfbb77e7},   {12, prime, 0xe7303e1b2336de0e},
        {24, 0, 0xa3fe70bf9d3510eb},   {24, prime, 0x850e80fc35bdd690},
        {48, 0, 0x397da259ecba1f11},   {48, prime, 0xadc2cbaa44acc616},
        {80, 0, 0xbcdefbbb2c47c90a},   {80, prime, 0xc6dd0cb699532e73},
        {195, 0, 0xcd94217ee362ec3a},  {195, prime, 0xba68003d370cb3d9},
        {403, 0, 0xcdeb804d65c6dea4},  {403, prime, 0x6259f6ecfd6443fd},
        {2048, 0, 0xdd59e2c3a5f038e0}, {2048, prime, 0x66f81670669ababc},
    }));
    CAPTURE(length, seed);
    CHECK(xxh3_64(xxhash_sanity_bytes(length), seed) == sum);
}

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
    CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb924"
                                "27ae41e4649b934ca495991b7852b855");
    CHECK(to_hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223"
                                             "b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(to_hex(sha256(as_bytes(std::string(1'000'000, 'a')))) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// The expected values are those of Python's hashlib.blake2b(data, key=..., digest_size=...).
TEST_CASE("keyed BLAKE2b gives what another implementation gives") {
    const key256 key = counting_key();
    CHECK(to_hex(blake2b_256(key, {})) ==
          "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d");
    CHECK(to_hex(blake2b_256(key, as_bytes("abc"))) ==
          "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
    CHECK(to_hex(blake2b_256(key, counting_bytes(256))) ==
          "b42be36ea26392f67d1d3706ffa72b6c61c2ff38e1fabd9a49e154d54b967d83");
    CHECK(to_hex(blake2b_128(key, as_bytes("abc"))) == "1a64be47e4729d951c302ee543f97cf3");
}

TEST_CASE("BLAKE2b under another key, or cut to another length, is another sum") {
    CHECK(blake2b_256(key256{}, as_bytes("abc")) != blake2b_256(counting_key(), as_bytes("abc")));
    const std::string longer = to_hex(blake2b_256(counting_key(), as_bytes("abc")));
    CHECK(longer.find(to_hex(blake2b_128(counting_key(), as_bytes("abc")))) == std::string::npos);
}

// The expected values are BLAKE2b with the number as salt and the purpose as personalisation, which
// is how libsodium defines crypto_kdf; computed with Python's hashlib.
TEST_CASE("a derived key is what libsodium defines") {
    const auto derived = [](std::string_view purpose, std::uint64_t number) {
        return to_hex(derive_key(counting_key(), purpose, number).reveal());
    };
    CHECK(derived("KDF test", 0) ==
          "c13fcc2e6cd0cd0f82d93b163a5696c5105378f8c629d36baf3ae0239de9c280");
    CHECK(derived("KDF test", 1) ==
          "13fea52bb8cba063f3ed93de27ed07e06d8c6367474e6ae4c9282913ac3c3a03");
    CHECK(derived("announce", 0) ==
          "c6269c6da5c1c45161325a7f12a78286728ebf2b0398cf6187fea7ad065fb54e");
    CHECK(derived("announce", ~std::uint64_t{0}) ==
          "9ef514a76daafebe167e0cd78f16d7630fbcddba8470efc2a5be7be5dc6bb5ac");
}

TEST_CASE("a purpose that is not eight characters is a broken invariant") {
    for (const std::string_view purpose : {"", "seven77", "nine99999"}) {
        CAPTURE(purpose);
        const std::string words =
            test::last_words([&] { static_cast<void>(derive_key(counting_key(), purpose)); });
        CHECK(words.find("purpose.size()") != std::string::npos);
    }
}

TEST_CASE("comparing in constant time judges like comparing") {
    CHECK(equal_in_constant_time({}, {}));
    CHECK(equal_in_constant_time(as_bytes("mac"), as_bytes("mac")));
    CHECK_FALSE(equal_in_constant_time(as_bytes("mac"), as_bytes("Mac")));
    CHECK_FALSE(equal_in_constant_time(as_bytes("mac"), as_bytes("maC")));
    CHECK_FALSE(equal_in_constant_time(as_bytes("mac"), as_bytes("ma")));
    CHECK_FALSE(equal_in_constant_time({}, as_bytes("m")));
}

} // namespace almenara::base
