#include "wire/beacon.hpp"

#include "base/random.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace almenara::wire {

namespace {

base::key256 a_key(unsigned char first) {
    std::array<std::byte, 32> bytes{};
    bytes.front() = std::byte{first};
    return base::key256{bytes};
}

datagram_address address_of(std::uint8_t last_byte, bool is_v6 = false) {
    datagram_address address;
    address.ip = {std::byte{127}, std::byte{0}, std::byte{0}, std::byte{last_byte}};
    address.is_v6 = is_v6;
    address.port = 7400;
    return address;
}

u_coord a_coord(std::size_t addresses) {
    u_coord what{.cluster = cluster_tag{0x1122334455667788},
                 .device = device_tag{0x99aabbccddeeff00},
                 .epoch = epoch{7},
                 .primary = server_id{3},
                 .addresses = {},
                 .config_index = log_index{12},
                 .sent = 4};
    for (std::size_t i = 0; i < addresses; ++i) {
        what.addresses.push_back(address_of(static_cast<std::uint8_t>(i + 1), i % 2 == 1));
    }
    return what;
}

u_register a_registration() {
    return {.cluster = cluster_tag{1},
            .device = device_tag{2},
            .nonce = datagram_nonce{3},
            .cookie = beacon_cookie{{std::byte{4}, std::byte{5}}}};
}

u_reg_ack an_acknowledgement() {
    return {.cluster = cluster_tag{1},
            .device = device_tag{2},
            .nonce = datagram_nonce{3},
            .cookie = beacon_cookie{{std::byte{4}, std::byte{5}}}};
}

std::vector<base::byte_vector> one_of_each(const base::key256& key) {
    return {to_bytes(a_registration(), key), to_bytes(an_acknowledgement(), key),
            to_bytes(a_coord(0), key), to_bytes(a_coord(2), key), to_bytes(a_coord(4), key)};
}

} // namespace

TEST_CASE("C.2: a datagram that is read is the one that was written") {
    const base::key256 key = a_key(1);
    CHECK(parse_datagram(to_bytes(a_registration(), key)) == datagram{a_registration()});
    CHECK(parse_datagram(to_bytes(an_acknowledgement(), key)) == datagram{an_acknowledgement()});
    for (std::size_t addresses = 0; addresses <= u_coord::most_addresses; ++addresses) {
        CHECK(parse_datagram(to_bytes(a_coord(addresses), key)) == datagram{a_coord(addresses)});
    }
}

TEST_CASE("C.2: datagrams have the sizes that the protocol says, and no answer is larger than what "
          "it answers") {
    const base::key256 key = a_key(1);
    CHECK(to_bytes(a_coord(0), key).size() == 63);
    CHECK(to_bytes(a_coord(4), key).size() == 63 + 4 * 19);
    CHECK(to_bytes(a_registration(), key).size() == register_size);
    CHECK(to_bytes(an_acknowledgement(), key).size() <= register_size);
}

// The expected bytes were made with Python's struct and hashlib.blake2b(digest_size=16).
TEST_CASE("C.2: the bytes of a datagram stay what they are") {
    const base::key256 key = a_key(1);
    CHECK(base::to_hex(to_bytes(a_coord(1), key)) ==
          "414c4d4201030000887766554433221100ffeeddccbbaa990700000000000000030001047f000001"
          "000000000000000000000000e81c0c000000000000000400000093b6a26f3f92a615b2dcbd073804"
          "9100");
    CHECK(base::to_hex(to_bytes(an_acknowledgement(), key)) ==
          "414c4d42010200000100000000000000020000000000000003000000000000000405000000000000"
          "0000000000000000918a71723f40dc2ee2c7a9eca9c72543");
}

TEST_CASE("C.2: only who has the key makes a datagram that is believed") {
    const base::key256 key = a_key(1);
    for (const base::byte_vector& good : one_of_each(key)) {
        CHECK(is_authentic(good, key));
        CHECK_FALSE(is_authentic(good, a_key(2)));
        for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
            base::byte_vector changed = good;
            changed[bit / 8] ^= std::byte{1} << (bit % 8);
            REQUIRE_FALSE(is_authentic(changed, key));
        }
    }
    CHECK_FALSE(is_authentic({}, key));
}

TEST_CASE("C.2: what is cut, longer, or something else is no datagram") {
    const base::key256 key = a_key(1);
    for (const base::byte_vector& good : one_of_each(key)) {
        for (std::size_t size = 0; size < good.size(); ++size) {
            REQUIRE_FALSE(parse_datagram(base::byte_view{good}.first(size)));
        }
        base::byte_vector longer = good;
        longer.push_back(std::byte{});
        CHECK_FALSE(parse_datagram(longer));
        for (const std::size_t place : {0U, 4U, 5U, 6U}) {
            base::byte_vector other = good;
            other[place] ^= std::byte{0x80};
            CHECK_FALSE(parse_datagram(other));
        }
    }
}

TEST_CASE("C.2: any bytes are refused or are a datagram that is written the same way") {
    base::generator random{7};
    for (const base::byte_vector& good : one_of_each(a_key(1))) {
        for (int round = 0; round < 2000; ++round) {
            base::byte_vector bytes = good;
            for (auto changes = random.below(4) + 1; changes > 0; --changes) {
                bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
            }
            const auto parsed = parse_datagram(bytes);
            if (!parsed) {
                continue;
            }
            const auto again = std::visit(
                [](const auto& what) { return parse_datagram(to_bytes(what, a_key(3))); }, *parsed);
            REQUIRE(again == parsed);
        }
    }
}

TEST_CASE("C.2: a device's key is made of the cluster's secret and its tag alone") {
    const base::key256 announces = announce_key(a_key(1));
    CHECK(beacon_key(announces, device_tag{1}) == beacon_key(announces, device_tag{1}));
    CHECK(beacon_key(announces, device_tag{1}) != beacon_key(announces, device_tag{2}));
    CHECK(beacon_key(announce_key(a_key(2)), device_tag{1}) !=
          beacon_key(announces, device_tag{1}));
    CHECK(announces != a_key(1));
}

} // namespace almenara::wire
