#include "net/datagram_address.hpp"

#include <algorithm>

namespace almenara::net {

namespace asio = boost::asio;
using asio::ip::udp;

namespace {

template <class Bytes>
void copy_front(const Bytes& from, wire::datagram_address& to) {
    std::transform(from.begin(), from.end(), to.ip.begin(),
                   [](unsigned char byte) { return std::byte{byte}; });
}

/// The first bytes of it, as many as an address of that kind has.
template <class Address>
Address address_of(const wire::datagram_address& from) {
    typename Address::bytes_type bytes{};
    std::transform(from.ip.begin(), from.ip.begin() + bytes.size(), bytes.begin(),
                   [](std::byte byte) { return std::to_integer<unsigned char>(byte); });
    return Address{bytes};
}

} // namespace

wire::datagram_address to_datagram_address(const udp::endpoint& at) {
    wire::datagram_address out;
    out.is_v6 = at.address().is_v6();
    out.port = at.port();
    if (out.is_v6) {
        copy_front(at.address().to_v6().to_bytes(), out);
    } else {
        copy_front(at.address().to_v4().to_bytes(), out);
    }
    return out;
}

udp::endpoint to_endpoint(const wire::datagram_address& at) {
    if (at.is_v6) {
        return {address_of<asio::ip::address_v6>(at), at.port};
    }
    return {address_of<asio::ip::address_v4>(at), at.port};
}

std::vector<wire::datagram_address> literal_addresses(const std::vector<std::string>& texts) {
    std::vector<wire::datagram_address> all;
    for (const std::string& text : texts) {
        const auto where = parse_host_port(text);
        const auto literal = where ? literal_endpoints(*where) : std::nullopt;
        if (literal) {
            const asio::ip::tcp::endpoint& first = literal->front();
            all.push_back(to_datagram_address({first.address(), first.port()}));
        }
    }
    return all;
}

} // namespace almenara::net
