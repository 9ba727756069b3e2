#pragma once

#include "client/api.hpp"
#include "net/clock.hpp"
#include "unit/client/little_primary.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>
#include <variant>

/// Two little servers for tests of the client's api, and what its options are.
namespace almenara::test {

inline instant in(duration time) {
    return net::monotonic_now() + time;
}

template <class... Addresses>
client::api_options to(const Addresses&... servers) {
    client::api_options options;
    options.how.servers = {servers...};
    options.how.user = "anna";
    options.how.client_name = "test 1";
    options.how.seed = 7;
    options.plaintext = true;
    return options;
}

/// A primary and one more server, which knows who it is.
struct two_servers {
    two_servers() {
        other.listen_on_loopback();
        stage.server.behave = primary.manners(server_id{1}, stage.server.address());
        other.behave = primary.manners(server_id{2}, other.address());
    }

    test::stage stage;
    little_server other{stage.context};
    little_primary primary;
};

/// Of a client that keeps its state there, and of a cluster that has a name.
inline client::api_options keeping(two_servers& servers, const std::string& directory) {
    servers.primary.cluster = cluster_id{{std::byte{0x3f}}};
    client::api_options how = to(servers.stage.server.address());
    how.state_directory = directory;
    return how;
}

/// Returns when the server was asked for an operation.
inline boost::asio::awaitable<void> until_asked(little_server& server) {
    const auto is_asked = [&server] {
        return std::holds_alternative<wire::operation>(server.last_visitor().heard().back());
    };
    while (!is_asked()) {
        co_await boost::asio::post(boost::asio::use_awaitable);
    }
}

} // namespace almenara::test
