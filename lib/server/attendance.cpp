#include "server/attendance.hpp"

namespace almenara::server {

void attendance::attached(connection_id connection, device_tag device) {
    const auto found = devices_.find(connection);
    if (found != devices_.end() && found->second == device) {
        return;
    }
    ended(connection);
    devices_.emplace(connection, device);
    if (++connections_[device] == 1) {
        changes_.push_back({.device = device, .is_here = true});
    }
}

void attendance::ended(connection_id connection) {
    const auto found = devices_.extract(connection);
    if (found.empty()) {
        return;
    }
    const auto of_device = connections_.find(found.mapped());
    if (--of_device->second == 0) {
        changes_.push_back({.device = of_device->first, .is_here = false});
        connections_.erase(of_device);
    }
}

void attendance::office_changed() {
    devices_.clear();
    connections_.clear();
    changes_.clear();
}

} // namespace almenara::server
