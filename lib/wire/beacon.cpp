#include "wire/beacon.hpp"

#include "base/check.hpp"
#include "base/little_endian.hpp"

#include <algorithm>
#include <span>

namespace almenara::wire {

namespace {

constexpr std::uint32_t magic = 0x424d4c41; // "ALMB".
constexpr std::uint8_t version = 1;
constexpr std::size_t mac_size = std::tuple_size_v<base::mac128>;
constexpr std::size_t address_size = 19;
constexpr std::size_t ack_size = 64;
constexpr std::size_t coord_size = 63; ///< without addresses
static_assert(coord_size + u_coord::most_addresses * address_size <= largest_datagram);

enum class kind : std::uint8_t { registration = 1, acknowledgement = 2, coordinator = 3 };
enum class family : std::uint8_t { v4 = 4, v6 = 6 };

/// Puts fields behind one another.
class writer {
  public:
    writer(kind what, cluster_tag cluster, device_tag device) {
        put(magic);
        put(version);
        put(static_cast<std::uint8_t>(what));
        put(std::uint16_t{0});
        put(cluster.value());
        put(device.value());
    }

    template <class Number>
    void put(Number number) {
        bytes_.resize(bytes_.size() + sizeof(Number));
        base::put_fixed(bytes_.data() + bytes_.size() - sizeof(Number), number);
    }
    void put(base::byte_view bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void pad_to(std::size_t size) { bytes_.resize(size); }

    [[nodiscard]] base::byte_vector sealed(const base::key256& key) && {
        put(base::byte_view{base::blake2b_128(key, bytes_)});
        return std::move(bytes_);
    }

  private:
    base::byte_vector bytes_;
};

/// Takes fields one by one. Whoever reads has looked at the size before.
class reader {
  public:
    explicit reader(base::byte_view bytes) : rest_(bytes) {}

    template <class Number>
    [[nodiscard]] Number number() {
        return base::get_fixed<Number>(take(sizeof(Number)).data());
    }
    [[nodiscard]] std::array<std::byte, 16> bytes16() {
        std::array<std::byte, 16> out{};
        std::ranges::copy(take(out.size()), out.begin());
        return out;
    }

  private:
    base::byte_view take(std::size_t count) {
        ALMENARA_CHECK(count <= rest_.size());
        const base::byte_view taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

    base::byte_view rest_;
};

std::optional<datagram_address> parse_address(reader& from) {
    datagram_address address;
    const auto which = from.number<std::uint8_t>();
    address.ip = from.bytes16();
    address.port = from.number<std::uint16_t>();
    address.is_v6 = which == static_cast<std::uint8_t>(family::v6);
    const bool is_known = address.is_v6 || which == static_cast<std::uint8_t>(family::v4);
    const bool is_tidy = address.is_v6 || std::all_of(address.ip.begin() + 4, address.ip.end(),
                                                      [](std::byte b) { return b == std::byte{}; });
    return is_known && is_tidy ? std::optional{address} : std::nullopt;
}

std::optional<datagram> parse_coord(base::byte_view bytes, u_coord what, reader from) {
    if (bytes.size() < coord_size) {
        return std::nullopt;
    }
    what.epoch = almenara::epoch{from.number<std::uint64_t>()};
    what.primary = server_id{from.number<std::uint16_t>()};
    const std::size_t count = from.number<std::uint8_t>();
    if (count > u_coord::most_addresses || bytes.size() != coord_size + count * address_size) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto address = parse_address(from);
        if (!address) {
            return std::nullopt;
        }
        what.addresses.push_back(*address);
    }
    what.config_index = log_index{from.number<std::uint64_t>()};
    what.sent = from.number<std::uint32_t>();
    return what;
}

std::uint64_t first_eight(const base::sha256_digest& digest) {
    return base::get_fixed<std::uint64_t>(digest.data());
}

} // namespace

base::byte_vector to_bytes(const u_register& what, const base::key256& key) {
    writer out{kind::registration, what.cluster, what.device};
    out.put(what.nonce.value());
    out.put(base::byte_view{what.cookie.value()});
    out.pad_to(register_size - mac_size);
    return std::move(out).sealed(key);
}

base::byte_vector to_bytes(const u_reg_ack& what, const base::key256& key) {
    writer out{kind::acknowledgement, what.cluster, what.device};
    out.put(what.nonce.value());
    out.put(base::byte_view{what.cookie.value()});
    return std::move(out).sealed(key);
}

base::byte_vector to_bytes(const u_coord& what, const base::key256& key) {
    ALMENARA_CHECK(what.addresses.size() <= u_coord::most_addresses);
    writer out{kind::coordinator, what.cluster, what.device};
    out.put(what.epoch.value());
    out.put(what.primary.value());
    out.put(static_cast<std::uint8_t>(what.addresses.size()));
    for (const datagram_address& each : what.addresses) {
        out.put(static_cast<std::uint8_t>(each.is_v6 ? family::v6 : family::v4));
        out.put(base::byte_view{each.ip});
        out.put(each.port);
    }
    out.put(what.config_index.value());
    out.put(what.sent);
    return std::move(out).sealed(key);
}

std::optional<datagram> parse_datagram(base::byte_view bytes) {
    constexpr std::size_t prefix_size = 24;
    if (bytes.size() < prefix_size + mac_size || bytes.size() > largest_datagram) {
        return std::nullopt;
    }
    reader from{bytes};
    if (from.number<std::uint32_t>() != magic || from.number<std::uint8_t>() != version) {
        return std::nullopt;
    }
    const auto what = from.number<std::uint8_t>();
    if (from.number<std::uint16_t>() != 0) {
        return std::nullopt;
    }
    const cluster_tag cluster{from.number<std::uint64_t>()};
    const device_tag device{from.number<std::uint64_t>()};
    if (what == static_cast<std::uint8_t>(kind::coordinator)) {
        return parse_coord(bytes, {.cluster = cluster, .device = device}, from);
    }
    if (what == static_cast<std::uint8_t>(kind::registration) && bytes.size() == register_size) {
        const datagram_nonce nonce{from.number<std::uint64_t>()};
        return u_register{cluster, device, nonce, beacon_cookie{from.bytes16()}};
    }
    if (what == static_cast<std::uint8_t>(kind::acknowledgement) && bytes.size() == ack_size) {
        const datagram_nonce nonce{from.number<std::uint64_t>()};
        return u_reg_ack{cluster, device, nonce, beacon_cookie{from.bytes16()}};
    }
    return std::nullopt;
}

bool is_authentic(base::byte_view bytes, const base::key256& key) {
    if (bytes.size() < mac_size) {
        return false;
    }
    const base::mac128 made = base::blake2b_128(key, bytes.first(bytes.size() - mac_size));
    return base::equal_in_constant_time(made, bytes.last(mac_size));
}

cluster_tag tag_of(const cluster_id& cluster) {
    const cluster_id::rep id = cluster.value();
    return cluster_tag{first_eight(base::sha256(id))};
}

device_tag tag_of(const device_id& device) {
    const device_id::rep id = device.value();
    return device_tag{first_eight(base::sha256(id))};
}

base::key256 announce_key(const base::key256& cluster_secret) {
    return base::derive_key(cluster_secret, "announce");
}

base::key256 beacon_key(const base::key256& announce_key, device_tag device) {
    std::array<std::byte, 8> tag{};
    base::put_fixed(tag.data(), device.value());
    return base::key256{base::blake2b_256(announce_key, tag)};
}

} // namespace almenara::wire
