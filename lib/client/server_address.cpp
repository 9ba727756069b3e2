#include "client/server_address.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <utility>

#include <sys/un.h>

namespace almenara::client {

namespace {

constexpr std::string_view unix_prefix = "unix:";

result<server_address> parse_unix_path(std::string_view path) {
    // The address structure of the system has room for this much, with a zero behind it.
    constexpr std::size_t room = sizeof(::sockaddr_un::sun_path) - 1;
    if (path.empty()) {
        return error{errc::invalid, "the path behind 'unix:' is missing; write for example "
                                    "unix:/var/lib/almenara/admin.sock"};
    }
    if (path.size() > room) {
        return error{errc::invalid,
                     fmt::format("the path behind 'unix:' has {} bytes and a Unix socket takes {}; "
                                 "change into its directory and give a relative path",
                                 path.size(), room)};
    }
    if (path.find('\0') != std::string_view::npos) {
        return error{errc::invalid, "the path behind 'unix:' has a zero byte in it"};
    }
    return server_address{unix_path{std::string{path}}};
}

} // namespace

result<server_address> parse_server_address(std::string_view text) {
    if (text.starts_with(unix_prefix)) {
        return parse_unix_path(text.substr(unix_prefix.size()));
    }
    auto address = net::parse_host_port(text);
    if (!address) {
        return address.error();
    }
    if (address->port == 0) {
        return error{errc::invalid, fmt::format("'{}' is not HOST:PORT: nobody listens on port 0",
                                                base::escaped(text))};
    }
    return server_address{*std::move(address)};
}

std::string to_string(const server_address& address) {
    if (const auto* const local = std::get_if<unix_path>(&address)) {
        return fmt::format("{}{}", unix_prefix, base::escaped(local->path));
    }
    return net::to_string(std::get<net::host_port>(address));
}

} // namespace almenara::client
