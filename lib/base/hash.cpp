#include "base/hash.hpp"

#include "base/check.hpp"

#include <openssl/evp.h>
#include <sodium.h>
#include <xxhash.h>

namespace almenara::base {

namespace {

const unsigned char* raw(const std::byte* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}

unsigned char* raw(std::byte* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}

template <class Mac>
Mac keyed_blake2b(const key256& key, byte_view bytes) {
    Mac mac{};
    const auto& key_bytes = key.reveal();
    ALMENARA_CHECK(crypto_generichash(raw(mac.data()), mac.size(), raw(bytes.data()), bytes.size(),
                                      raw(key_bytes.data()), key_bytes.size()) == 0);
    return mac;
}

} // namespace

std::uint64_t xxh3_64(byte_view bytes, std::uint64_t seed) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

sha256_digest sha256(byte_view bytes) {
    sha256_digest digest{};
    ALMENARA_CHECK(EVP_Digest(bytes.data(), bytes.size(), raw(digest.data()), nullptr, EVP_sha256(),
                              nullptr) == 1);
    return digest;
}

mac256 blake2b_256(const key256& key, byte_view bytes) {
    return keyed_blake2b<mac256>(key, bytes);
}

mac128 blake2b_128(const key256& key, byte_view bytes) {
    return keyed_blake2b<mac128>(key, bytes);
}

bool equal_in_constant_time(byte_view a, byte_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

key256 derive_key(const key256& master, std::string_view purpose, std::uint64_t number) {
    ALMENARA_CHECK(purpose.size() == crypto_kdf_CONTEXTBYTES);
    std::array<std::byte, 32> key{};
    ALMENARA_CHECK(crypto_kdf_derive_from_key(raw(key.data()), key.size(), number, purpose.data(),
                                              raw(master.reveal().data())) == 0);
    return key256{key};
}

} // namespace almenara::base
