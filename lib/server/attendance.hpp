#pragma once

#include "base/ids.hpp"
#include "base/session_ids.hpp"

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace almenara::server {

/// C.2: which devices have a connection that is attached for service here. One that has is not told
/// any more who rules, and the backups are told that it has.
class attendance {
  public:
    void attached(connection_id connection, device_tag device);
    void ended(connection_id connection);
    /// Taking office or losing it voids all attachments.
    void office_changed();

    struct change {
        device_tag device;
        bool is_here = false;

        friend bool operator==(const change&, const change&) = default;
    };
    /// Since the last time, in order. Of the office of now.
    [[nodiscard]] std::vector<change> take_changes() { return std::exchange(changes_, {}); }

  private:
    std::map<connection_id, device_tag> devices_;
    std::map<device_tag, std::size_t> connections_; ///< and how many of it are attached
    std::vector<change> changes_;
};

} // namespace almenara::server
