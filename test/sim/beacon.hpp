#pragma once

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "server/attendance.hpp"
#include "server/beacon_desk.hpp"
#include "sim/dice.hpp"
#include "sim/network.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace almenara::sim {

/// What servers say at the door, which is not simulated.
inline constexpr cluster_id the_cluster{{std::byte{0xc1}}};
/// C.2: of all servers.
[[nodiscard]] base::key256 the_announce_key();

/// A server's side of the beacon: its own desk (server/beacon_desk), between the simulated network
/// and what the server knows of the office. One per process.
class beacon {
  public:
    explicit beacon(dice& luck);

    void received(node from, base::byte_vector bytes) {
        came_.emplace_back(from, std::move(bytes));
    }
    void new_primary(epoch at, server_id primary, bool is_this_server, instant now);
    void left_office() { desk_.left_office(); }
    void attended(const std::vector<almenara::server::attendance::change>& changes);

    /// What came is looked at, and what is due done. What a primary tells its backups of clients
    /// (PRESENCE) reaches nobody here: they have what registered with them.
    [[nodiscard]] std::vector<std::pair<node, base::byte_vector>> work(instant now);
    [[nodiscard]] std::optional<instant> wake() const { return desk_.next_wake(); }

  private:
    almenara::server::beacon_desk desk_;
    std::vector<std::pair<node, base::byte_vector>> came_;
};

} // namespace almenara::sim
