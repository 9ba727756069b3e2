#pragma once

#include "base/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::net {

/// TCP and UDP use the same port number.
inline constexpr std::uint16_t default_port = 7400;

/// HOST:PORT as people write it: `127.0.0.1:7400`, `[::1]:7400`, `tower.example` (default port).
struct host_port {
    std::string host;
    std::uint16_t port = default_port;

    friend bool operator==(const host_port&, const host_port&) = default;
};

[[nodiscard]] result<host_port> parse_host_port(std::string_view text);
[[nodiscard]] std::string to_string(const host_port& address);
[[nodiscard]] std::string to_string(const boost::asio::ip::tcp::endpoint& endpoint);

using endpoint_list = std::vector<boost::asio::ip::tcp::endpoint>;

/// An address that needs nobody to look it up.
[[nodiscard]] std::optional<endpoint_list> literal_endpoints(const host_port& address);

/// All addresses of the host, without waiting for a name server longer than the resolver does.
[[nodiscard]] result<endpoint_list> resolve(const host_port& address);

/// The same for a reactor, which must not wait.
[[nodiscard]] boost::asio::awaitable<result<endpoint_list>> async_resolve(host_port address);

/// Until there is TLS nothing leaves this machine (F): fails and names the first address that is
/// not a loopback one.
[[nodiscard]] result<void> require_loopback(const endpoint_list& endpoints);

} // namespace almenara::net
