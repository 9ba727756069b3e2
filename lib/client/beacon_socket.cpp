#include "client/beacon_socket.hpp"

#include "client/server_address.hpp"
#include "net/address.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <utility>
#include <variant>

namespace almenara::client {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Others have their turn too.
constexpr int most_at_once = 32;

/// The addresses that need nobody to look them up. Servers tell theirs at the door.
net::endpoint_list literal_endpoints(const std::string& address) {
    const auto where = parse_server_address(address);
    const auto* const host = where ? std::get_if<net::host_port>(&*where) : nullptr;
    const auto found = host != nullptr ? net::literal_endpoints(*host) : std::nullopt;
    return found.value_or(net::endpoint_list{});
}

} // namespace

beacon_socket::beacon_socket(asio::any_io_executor executor, owner& told)
    : executor_(std::move(executor)), owner_(&told) {}

void beacon_socket::send(const datagram_order& what) {
    for (const std::string& address : what.addresses) {
        for (const auto& endpoint : literal_endpoints(address)) {
            send_to(udp::endpoint{endpoint.address(), endpoint.port()}, what.bytes);
        }
    }
}

void beacon_socket::send_to(const udp::endpoint& where, base::byte_view bytes) {
    if (!where.address().is_loopback()) {
        return;
    }
    if (udp::socket* const socket = socket_for(where)) {
        error_code lost; // Whatever it says: it is lost, and sent again in time.
        socket->send_to(asio::buffer(bytes.data(), bytes.size()), where, 0, lost);
    }
}

beacon_socket::udp::socket* beacon_socket::socket_for(const udp::endpoint& where) {
    std::optional<udp::socket>& socket = where.address().is_v4() ? v4_ : v6_;
    if (socket || is_deaf_ || owner_ == nullptr) {
        return socket ? &*socket : nullptr;
    }
    error_code why;
    udp::socket made{executor_};
    made.open(where.protocol(), why);
    if (!why) {
        made.non_blocking(true, why);
    }
    if (why) {
        is_deaf_ = true;
        owner_->no_datagrams(why);
        return nullptr;
    }
    socket.emplace(std::move(made));
    wait(socket);
    return &*socket;
}

void beacon_socket::wait(std::optional<udp::socket>& socket) {
    socket->async_wait(udp::socket::wait_read,
                       [self = shared_from_this(), &socket](const error_code& closed) {
                           if (closed || self->owner_ == nullptr) {
                               return;
                           }
                           self->read(*socket);
                           if (self->owner_ != nullptr) {
                               self->wait(socket);
                           }
                       });
}

/// What the network says of what was sent, such as that nobody listens there, is nobody's news.
void beacon_socket::read(udp::socket& socket) {
    for (int i = 0; i < most_at_once && owner_ != nullptr; ++i) {
        udp::endpoint from;
        error_code why;
        const std::size_t size = socket.receive_from(asio::buffer(buffer_), from, 0, why);
        if (why == asio::error::would_block) {
            break;
        }
        if (!why && from.address().is_loopback() && size <= wire::largest_datagram) {
            owner_->datagram_came(base::byte_view{buffer_}.first(size));
        }
    }
    if (owner_ != nullptr) {
        owner_->datagrams_told();
    }
}

void beacon_socket::close() {
    owner_ = nullptr;
    for (std::optional<udp::socket>* const each : {&v4_, &v6_}) {
        if (*each) {
            error_code ignored; // It is gone either way.
            (*each)->close(ignored);
        }
    }
}

} // namespace almenara::client
