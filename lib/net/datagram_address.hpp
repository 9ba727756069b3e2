#pragma once

#include "net/address.hpp"
#include "wire/beacon.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace almenara::net {

/// C.2: addresses as they stand in datagrams, and as sockets have them.
[[nodiscard]] wire::datagram_address to_datagram_address(const boost::asio::ip::udp::endpoint& at);
[[nodiscard]] boost::asio::ip::udp::endpoint to_endpoint(const wire::datagram_address& at);

/// Of HOST:PORT texts those that need nobody to look them up.
[[nodiscard]] std::vector<wire::datagram_address> literal_addresses(
    const std::vector<std::string>& texts);

} // namespace almenara::net
