#include "net/address.hpp"

#include "base/text.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace almenara::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

error not_an_address(std::string_view text, std::string_view why) {
    return {errc::invalid, fmt::format("'{}' is not HOST:PORT: {}; write 127.0.0.1:{} or [::1]:{}",
                                       base::escaped(text), why, default_port, default_port)};
}

bool is_host_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '.' || letter == '-' || letter == '_';
}

error not_resolved(const host_port& address, const boost::system::error_code& failure) {
    return {errc::not_found, fmt::format("looking up '{}'", address.host), failure};
}

endpoint_list endpoints_of(const tcp::resolver::results_type& found) {
    endpoint_list endpoints;
    for (const auto& entry : found) {
        endpoints.push_back(entry.endpoint());
    }
    return endpoints;
}

} // namespace

result<host_port> parse_host_port(std::string_view text) {
    std::string_view host = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t bracket = text.find(']');
        if (bracket == std::string_view::npos) {
            return not_an_address(text, "the ']' is missing");
        }
        host = text.substr(1, bracket - 1);
        port = text.substr(bracket + 1);
        boost::system::error_code failure;
        const auto address = asio::ip::make_address_v6(std::string{host}, failure);
        if (failure) {
            return not_an_address(text, "not an IPv6 address between the brackets");
        }
        static_cast<void>(address);
        if (!port.empty() && port.front() != ':') {
            return not_an_address(text, "behind the ']' stands a ':' or nothing");
        }
    } else {
        const std::size_t colon = text.find(':');
        host = text.substr(0, colon);
        port = text.substr(std::min(host.size(), text.size()));
        if (host.empty()) {
            return not_an_address(text, "the host is missing");
        }
        if (!std::all_of(host.begin(), host.end(), is_host_letter)) {
            return not_an_address(text, "a host has letters, digits, dots and dashes");
        }
    }
    if (port.empty()) {
        return host_port{std::string{host}, default_port};
    }
    port.remove_prefix(1); // The colon.
    const auto number = base::parse_number(port, 0, 65535);
    if (!number) {
        return not_an_address(text, "the port must be a number from 0 to 65535");
    }
    return host_port{std::string{host}, static_cast<std::uint16_t>(*number)};
}

std::string to_string(const host_port& address) {
    const bool is_v6 = address.host.find(':') != std::string::npos;
    return is_v6 ? fmt::format("[{}]:{}", address.host, address.port)
                 : fmt::format("{}:{}", address.host, address.port);
}

std::string to_string(const tcp::endpoint& endpoint) {
    return to_string(host_port{endpoint.address().to_string(), endpoint.port()});
}

std::optional<endpoint_list> literal_endpoints(const host_port& address) {
    boost::system::error_code not_an_address;
    const auto literal = asio::ip::make_address(address.host, not_an_address);
    if (not_an_address) {
        return std::nullopt;
    }
    return endpoint_list{tcp::endpoint{literal, address.port}};
}

result<endpoint_list> resolve(const host_port& address) {
    asio::io_context context;
    tcp::resolver resolver{context};
    boost::system::error_code failure;
    const auto found = resolver.resolve(address.host, std::to_string(address.port), failure);
    if (failure) {
        return not_resolved(address, failure);
    }
    return endpoints_of(found);
}

asio::awaitable<result<endpoint_list>> async_resolve(host_port address) {
    tcp::resolver resolver{co_await asio::this_coro::executor};
    const std::string port = std::to_string(address.port);
    const auto outcome =
        co_await resolver.async_resolve(address.host, port, asio::as_tuple(asio::use_awaitable));
    const auto& [failure, found] = outcome;
    if (failure) {
        co_return not_resolved(address, failure);
    }
    co_return endpoints_of(found);
}

result<void> require_loopback(const endpoint_list& endpoints) {
    for (const tcp::endpoint& endpoint : endpoints) {
        if (!endpoint.address().is_loopback()) {
            return error{errc::denied,
                         fmt::format("{} is not a loopback address: without TLS nothing may leave "
                                     "this machine; use 127.0.0.1 or [::1]",
                                     to_string(endpoint))};
        }
    }
    return {};
}

} // namespace almenara::net
