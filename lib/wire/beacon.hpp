#pragma once

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "base/strong.hpp"
#include "wire/described.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <variant>
#include <vector>

/// C.2: the datagrams between servers and clients. Each begins with
///
///     magic u32 | version u8 | kind u8 | flags u16 | cluster_tag u64 | device_tag u64
///
/// and ends with a MAC over all before it, under the device's key. Little endian. They carry hints:
/// what a datagram says is believed when the server that it names says so itself.
namespace almenara::wire {

/// Names a cluster in datagrams.
using cluster_tag = base::strong<struct cluster_tag_tag, std::uint64_t>;
/// Chosen by the client for one server; the answer echoes it.
using datagram_nonce = base::strong<struct datagram_nonce_tag, std::uint64_t>;
/// Proves to a server that who registers hears what is sent to its address.
using beacon_cookie = base::strong<struct beacon_cookie_tag, std::array<std::byte, 16>>;

/// An IP address and a port, as they stand in datagrams.
struct datagram_address {
    std::array<std::byte, 16> ip{}; ///< in network order; of IPv4 the first four bytes
    bool is_v6 = false;
    std::uint16_t port = 0;

    friend std::strong_ordering operator<=>(const datagram_address& a, const datagram_address& b) {
        return std::tie(a.is_v6, a.ip, a.port) <=> std::tie(b.is_v6, b.ip, b.port);
    }
};
ALMENARA_DESCRIBE(datagram_address, ip, is_v6, port)

/// A client asks a server to be told there.
struct u_register {
    cluster_tag cluster;
    device_tag device;
    datagram_nonce nonce;
    beacon_cookie cookie; ///< zero: none was given yet

    friend bool operator==(const u_register&, const u_register&) = default;
};

/// What to come back with.
struct u_reg_ack {
    cluster_tag cluster;
    device_tag device;
    datagram_nonce nonce;
    beacon_cookie cookie;

    friend bool operator==(const u_reg_ack&, const u_reg_ack&) = default;
};

/// There is a new primary.
struct u_coord {
    cluster_tag cluster;
    device_tag device;
    almenara::epoch epoch;
    server_id primary;
    std::vector<datagram_address> addresses; ///< most_addresses at most
    log_index config_index;
    std::uint32_t sent = 0; ///< how many times it was sent before, for those who look at it

    static constexpr std::size_t most_addresses = 4;
    friend bool operator==(const u_coord&, const u_coord&) = default;
};

using datagram = std::variant<u_register, u_reg_ack, u_coord>;

/// A registration is padded, so that no answer to it is larger (no amplification).
inline constexpr std::size_t register_size = 160;
inline constexpr std::size_t largest_datagram = register_size;

[[nodiscard]] base::byte_vector to_bytes(const u_register& what, const base::key256& key);
[[nodiscard]] base::byte_vector to_bytes(const u_reg_ack& what, const base::key256& key);
[[nodiscard]] base::byte_vector to_bytes(const u_coord& what, const base::key256& key);

/// Nothing if it is none of them. Whether it is true only is_authentic() says.
[[nodiscard]] std::optional<datagram> parse_datagram(base::byte_view bytes);

/// Whether who made it has the key.
[[nodiscard]] bool is_authentic(base::byte_view bytes, const base::key256& key);

// -- Keys and tags --------------------------------------------------------------------------------

[[nodiscard]] cluster_tag tag_of(const cluster_id& cluster);
[[nodiscard]] device_tag tag_of(const device_id& device);

/// Of all servers, made of the cluster's secret.
[[nodiscard]] base::key256 announce_key(const base::key256& cluster_secret);
/// Of one device: every server can make it again, and none has to keep it.
[[nodiscard]] base::key256 beacon_key(const base::key256& announce_key, device_tag device);

} // namespace almenara::wire
