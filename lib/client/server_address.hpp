#pragma once

#include "base/error.hpp"
#include "net/address.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace almenara::client {

/// A Unix socket in the file system, such as DATA_DIR/admin.sock.
struct unix_path {
    std::string path;

    friend bool operator==(const unix_path&, const unix_path&) = default;
};

/// Where a server is: `HOST:PORT` or `unix:PATH`.
using server_address = std::variant<net::host_port, unix_path>;

[[nodiscard]] result<server_address> parse_server_address(std::string_view text);
[[nodiscard]] std::string to_string(const server_address& address);

} // namespace almenara::client
