#pragma once

#include "base/time.hpp"
#include "client/failure.hpp"
#include "client/server_address.hpp"
#include "wire/client_messages.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace almenara::client {

struct connection_options {
    std::string client_name; ///< program and version, for the server's log
    /// Without TLS, which this version does not have. Only to loopback addresses; a Unix socket
    /// needs no leave.
    bool plaintext = false;
    /// How long a server that was told goodbye may take to hang up.
    duration longest_goodbye = std::chrono::milliseconds{500};
};

/// One connection to one server, from the dial to the goodbye; it is not used a second time. Any
/// number of coroutines of its executor, which is one thread, may ask at the same time; answers
/// find their askers in whatever order they come. What waits when the connection ends fails with
/// the reason of the end, and so does whoever asks later.
///
/// Deadlines are moments of net::monotonic_now(). A request that failed with `timed_out` leaves
/// the connection as it is.
class connection {
  public:
    connection(boost::asio::any_io_executor executor, connection_options options);
    ~connection(); ///< at once; the goodbye is said if it goes without waiting
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Dials the addresses of the server one by one until one is open, and says hello. Called once.
    [[nodiscard]] boost::asio::awaitable<outcome<wire::welcome>> open(server_address where,
                                                                      instant deadline);

    [[nodiscard]] boost::asio::awaitable<outcome<wire::pong>> ping(instant deadline);
    [[nodiscard]] boost::asio::awaitable<outcome<wire::status_reply>> status(instant deadline);

    /// Says who asks; no session is opened.
    [[nodiscard]] boost::asio::awaitable<outcome<wire::login_ok>> log_in(std::string user,
                                                                         instant deadline);
    [[nodiscard]] boost::asio::awaitable<outcome<wire::admin_result>> administer(wire::admin what,
                                                                                 instant deadline);

    /// Says goodbye and waits, but not for long, until the server has heard it.
    [[nodiscard]] boost::asio::awaitable<void> close();

    /// The same without waiting, in whatever state it is, open() included. What waits fails with
    /// `cancelled`.
    void give_up();

    [[nodiscard]] bool is_open() const;

    /// The address that answered, as HOST:PORT or unix:PATH; empty before there is one.
    [[nodiscard]] const std::string& peer() const;

  private:
    class driver;
    std::shared_ptr<driver> driver_;
};

} // namespace almenara::client
