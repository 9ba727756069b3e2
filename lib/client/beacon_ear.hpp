#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "client/routes.hpp"
#include "wire/beacon.hpp"
#include "wire/session_messages.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace almenara::client {

/// C.2 on the client's side, as far as datagrams go: registers with every server, again and again,
/// and tells an announcement from what is none. What an announcement means is the failover's
/// matter. Silent until it has a pass and knows the cluster.
class beacon_ear {
  public:
    /// Mappings of firewalls live for 30 s; not all clients at the same moment.
    static constexpr duration least_between = std::chrono::milliseconds{12'500};
    static constexpr duration most_between = std::chrono::seconds{15};
    /// While a server has not answered, twice as long each time.
    static constexpr duration first_retry = std::chrono::milliseconds{500};

    explicit beacon_ear(std::uint64_t seed) : random_(seed) {}

    /// As its servers say at the door.
    void belongs_to(const cluster_id& cluster, instant now);
    /// One that it has changes nothing.
    void take(const wire::beacon_pass& pass, instant now);
    /// Servers came or went: look at them.
    void servers_changed(instant now) { wake_ = is_on() ? now : wake_; }

    struct registration {
        route_number to;
        base::byte_vector bytes;
    };
    /// What is to be sent by now, to each of the servers.
    [[nodiscard]] std::vector<registration> due(instant now,
                                                const std::map<route_number, route>& servers);
    [[nodiscard]] instant next_wake() const { return wake_; }

    /// An announcement that is for this client and comes from a server of its cluster. An
    /// acknowledgement is dealt with here.
    [[nodiscard]] std::optional<wire::u_coord> heard(instant now, base::byte_view bytes);

  private:
    /// How it stands with one server.
    struct acquaintance {
        std::optional<wire::datagram_nonce> asked{}; ///< and not answered yet
        wire::beacon_cookie cookie{};
        duration retry = first_retry;
        instant at{}; ///< of the next registration
        /// With a new cookie, at once; but once for each registration that was due.
        bool comes_back = false;
        bool came_back = false;
    };

    [[nodiscard]] bool is_on() const { return pass_ && cluster_; }
    void begin_anew(instant now);
    void acknowledged(instant now, const wire::u_reg_ack& what);

    base::generator random_;
    std::optional<wire::cluster_tag> cluster_;
    std::optional<wire::beacon_pass> pass_;
    std::map<route_number, acquaintance> servers_;
    instant wake_ = instant::max();
};

} // namespace almenara::client
