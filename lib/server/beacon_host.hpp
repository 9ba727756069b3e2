#pragma once

#include "base/ids.hpp"
#include "server/attendance.hpp"
#include "wire/presence.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace almenara::server {

/// Who serves clients, and since which epoch.
struct ruler {
    almenara::epoch epoch;
    server_id id;
    bool is_this_server = false; ///< and it is through with its own log
};

/// What the beacon asks of the server around it.
class beacon_host {
  public:
    beacon_host() = default;
    beacon_host(const beacon_host&) = delete;
    beacon_host& operator=(const beacon_host&) = delete;

    /// None: it belongs to none yet.
    [[nodiscard]] virtual const std::optional<cluster_id>& cluster() const = 0;
    /// The last one that was announced; none while this server rules and cannot serve yet.
    [[nodiscard]] virtual std::optional<ruler> last_ruler() const = 0;
    [[nodiscard]] virtual std::vector<std::string> addresses_of(server_id id) const = 0;
    [[nodiscard]] virtual log_index config_index() const = 0;
    [[nodiscard]] virtual std::vector<attendance::change> take_attendance() = 0;

    // -- PRESENCE (C.2): unlogged, and the core does not know of it --

    /// To all that are linked, over control connections.
    virtual void tell_backups(const wire::presence& what) = 0;
    /// What comes from the primary of now; an empty function: nobody listens any more.
    virtual void hears_presence(std::function<void(const wire::presence&)> told) = 0;

  protected:
    ~beacon_host() = default;
};

} // namespace almenara::server
