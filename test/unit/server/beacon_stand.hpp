#pragma once

#include "server/beacon_desk.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

/// A beacon's desk without a socket, and the devices that talk to it.
namespace almenara::test {

inline base::key256 key_of(unsigned char first) {
    std::array<std::byte, 32> bytes{};
    bytes.front() = std::byte{first};
    return base::key256{bytes};
}

inline wire::datagram_address place(std::uint16_t port, std::uint8_t last_byte = 1) {
    wire::datagram_address at;
    at.ip = {std::byte{127}, std::byte{0}, std::byte{0}, std::byte{last_byte}};
    at.port = port;
    return at;
}

/// What one of them was sent.
template <class Kind>
struct told {
    wire::datagram_address at;
    Kind what;
};

class beacon_stand {
  public:
    explicit beacon_stand(server::beacon_desk::settings wanted = {}) : desk_(with_keys(wanted)) {
        desk_.belongs_to(own_cluster);
    }

    /// As a client of this cluster makes it.
    static wire::u_register registration(device_tag device, wire::beacon_cookie cookie = {}) {
        return {.cluster = wire::tag_of(own_cluster),
                .device = device,
                .nonce = wire::datagram_nonce{77},
                .cookie = cookie};
    }
    template <class Datagram>
    static base::byte_vector sealed(const Datagram& what) {
        return wire::to_bytes(what, key_for(what.device));
    }
    static base::key256 key_for(device_tag device) { return wire::beacon_key(announces, device); }

    void hears(const wire::datagram_address& from, base::byte_view bytes) {
        desk_.received(from, bytes, now);
    }

    /// What it answers to that; nothing, or one acknowledgement.
    std::optional<wire::u_reg_ack> answer_to(const wire::datagram_address& from,
                                             base::byte_view bytes) {
        hears(from, bytes);
        const auto all = sent<wire::u_reg_ack>();
        REQUIRE(all.size() <= 1);
        if (all.empty()) {
            return std::nullopt;
        }
        CHECK(all.front().at == from);
        return all.front().what;
    }

    /// Twice, as a client does: for the cookie, and with it.
    void registers(device_tag device, const wire::datagram_address& from) {
        const auto given = answer_to(from, sealed(registration(device)));
        REQUIRE(given);
        REQUIRE(answer_to(from, sealed(registration(device, given->cookie))));
    }

    void rules(std::uint64_t number) {
        desk_.new_primary({.epoch = epoch{number},
                           .primary = server_id{1},
                           .addresses = {place(7401)},
                           .config_index = log_index{12},
                           .is_this_server = true},
                          now);
    }
    void hears_of_primary(std::uint64_t number) {
        desk_.new_primary({.epoch = epoch{number},
                           .primary = server_id{2},
                           .addresses = {place(7402)},
                           .config_index = log_index{12},
                           .is_this_server = false},
                          now);
    }

    /// What has left since the last time, with a good MAC; all of it is of that kind.
    template <class Kind>
    std::vector<told<Kind>> sent() {
        std::vector<told<Kind>> all;
        for (const server::outgoing_datagram& one : desk_.take_datagrams()) {
            const auto what = wire::parse_datagram(one.bytes);
            REQUIRE(what);
            const auto* const expected = std::get_if<Kind>(&*what);
            REQUIRE(expected != nullptr);
            CHECK(wire::is_authentic(one.bytes, key_for(expected->device)));
            all.push_back({one.to, *expected});
        }
        return all;
    }

    /// Does what is due until then, and says when a datagram left, counted from now.
    std::vector<std::chrono::milliseconds> announcements_within(duration time) {
        const instant began = now;
        std::vector<std::chrono::milliseconds> when;
        for (;;) {
            desk_.due(now);
            for (const auto& one : sent<wire::u_coord>()) {
                static_cast<void>(one);
                when.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - began));
            }
            const auto next = desk_.next_wake();
            if (!next || *next > began + time) {
                now = began + time;
                return when;
            }
            now = std::max(now, *next);
        }
    }

    /// All that the backups are told now.
    std::vector<wire::device_presence> tells_backups() {
        std::vector<wire::device_presence> all;
        for (const wire::presence& one : desk_.take_presence(now)) {
            CHECK_FALSE(one.devices.empty());
            CHECK(one.devices.size() <= wire::presence::most_devices);
            all.insert(all.end(), one.devices.begin(), one.devices.end());
        }
        return all;
    }

    [[nodiscard]] server::beacon_desk& desk() { return desk_; }

    instant now{std::chrono::hours{5}};

    static constexpr cluster_id own_cluster{{std::byte{9}}};
    inline static const base::key256 announces = key_of(1);

  private:
    static server::beacon_desk::settings with_keys(server::beacon_desk::settings wanted) {
        wanted.announce_key = announces;
        wanted.cookie_key = key_of(2);
        return wanted;
    }

    server::beacon_desk desk_;
};

} // namespace almenara::test
