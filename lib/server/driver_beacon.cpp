#include "server/driver.hpp"
#include "wire/message_list.hpp"

#include <utility>

/// The part of the driver that the beacon looks at (C.2). The core does not know of it.
namespace almenara::server {

const std::optional<cluster_id>& driver::cluster() const {
    return status_.durable.cluster;
}

std::optional<ruler> driver::last_ruler() const {
    if (reception_.in_office()) {
        return ruler{.epoch = status_.epoch, .id = self_, .is_this_server = true};
    }
    // Its own announcement comes before it is through with its log.
    if (!announced_ || announced_->primary == self_) {
        return std::nullopt;
    }
    return ruler{.epoch = announced_->epoch, .id = announced_->primary};
}

std::vector<std::string> driver::addresses_of(server_id id) const {
    return addresses_.find(id).addresses;
}

log_index driver::config_index() const {
    return status_.config_index;
}

std::vector<attendance::change> driver::take_attendance() {
    return reception_.take_attendance();
}

void driver::tell_backups(const wire::presence& what) {
    // A server of an older version skips it.
    const wire::frame_header header{.type = {},
                                    .flags = {wire::frame_flag::ignorable},
                                    .epoch = status_.epoch,
                                    .hlc = stamps_.stamp(moment().wall)};
    base::byte_vector frame;
    wire::append_message<wire::presence_messages>(what, frame, header);
    for (const replica::peer_status& peer : status_.peers) {
        if (peer.control) {
            links_->send(*peer.control, frame);
        }
    }
    links_->flush();
}

void driver::hears_presence(std::function<void(const wire::presence&)> told) {
    if (!told) {
        return links_->tell_presence({});
    }
    links_->tell_presence([this, told = std::move(told)](connection_id connection,
                                                         almenara::epoch epoch,
                                                         const wire::presence& what) {
        if (is_from_primary(connection, epoch)) {
            told(what);
        }
    });
}

// E0: only the primary of now, in its epoch, on the control connection of the present link session.
bool driver::is_from_primary(connection_id connection, almenara::epoch epoch) const {
    if (epoch != status_.epoch || !status_.known_primary) {
        return false;
    }
    for (const replica::peer_status& peer : status_.peers) {
        if (peer.id == *status_.known_primary) {
            return peer.control == connection;
        }
    }
    return false;
}

} // namespace almenara::server
