#pragma once

#include "base/ids.hpp"
#include "support/voices.hpp"
#include "wire/client_messages.hpp"

namespace almenara::test {

/// The welcome of a server that belongs to no cluster.
[[nodiscard]] inline wire::welcome plain_welcome(request_id hello) {
    wire::welcome message;
    message.request = hello;
    message.server_version = "0.1.0";
    message.server = server_id{1};
    return message;
}

} // namespace almenara::test
