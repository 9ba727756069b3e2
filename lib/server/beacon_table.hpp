#pragma once

#include "base/session_ids.hpp"
#include "base/time.hpp"
#include "wire/beacon.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace almenara::server {

/// C.2: where devices hear datagrams. Only addresses that proved it come in here: by a cookie of
/// this server, or as the primary says by one of its own. Soft: each goes by itself unless it is
/// said again.
class beacon_table {
  public:
    struct bounds {
        /// Further ones are not taken, and those that are in stay: they still have TCP.
        std::size_t devices = 16384;
        duration registration = std::chrono::seconds{60}; ///< four of a client's rounds
        duration presence = std::chrono::seconds{40};     ///< two rounds of the primary, and some
    };
    static constexpr std::size_t most_addresses = 4; ///< of a device

    beacon_table() = default;
    explicit beacon_table(const bounds& most) : most_(most) {}

    /// By the device, with a cookie of this server. False: there is no room for another device. Of
    /// its addresses the one that would go first makes room.
    [[nodiscard]] bool registers(device_tag device, const wire::datagram_address& at, instant now);
    /// By the primary.
    [[nodiscard]] bool told(device_tag device, const wire::datagram_address& at, instant now);
    void told_gone(device_tag device, const wire::datagram_address& at);

    /// Whose word counts.
    enum class source : std::uint8_t { own, any };
    [[nodiscard]] std::vector<wire::datagram_address> addresses(device_tag device,
                                                                source from,
                                                                instant now) const;
    [[nodiscard]] std::vector<device_tag> devices(source from, instant now) const;
    [[nodiscard]] std::size_t size() const { return devices_.size(); }

    /// Lets go of what is over, of some devices at a time. Gives those that lost an address, and
    /// says when the next share is due.
    [[nodiscard]] std::vector<device_tag> sweep(instant now);
    [[nodiscard]] std::optional<instant> next_sweep() const;

  private:
    /// Until when each word counts.
    struct place {
        instant own;
        instant told;
    };
    using places = std::map<wire::datagram_address, place>;

    [[nodiscard]] place* place_for(device_tag device,
                                   const wire::datagram_address& at,
                                   instant now);
    static bool counts(const place& what, source from, instant now);

    bounds most_;
    std::map<device_tag, places> devices_;
    device_tag next_to_sweep_;
    instant next_sweep_;
};

} // namespace almenara::server
