#pragma once

#include "base/time.hpp"
#include "client/bell.hpp"
#include "client/failure.hpp"
#include "client/server_address.hpp"
#include "net/address.hpp"
#include "net/byte_stream.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almenara::client {

/// A stream to a server, and the way to it.
struct dialled {
    std::unique_ptr<net::byte_stream> stream;
    std::string peer;               ///< the address that answered
    std::vector<std::string> tried; ///< all that were dialled, this one included
};

/// Finds the addresses of a server and dials them one by one until one answers or the time is up.
class dialler : public std::enable_shared_from_this<dialler> {
  public:
    /// Without TLS, which this version does not have, `plaintext` must say so.
    dialler(boost::asio::any_io_executor executor, bool plaintext);

    /// Called once. A name server that does not answer cannot be hurried: the caller is told in
    /// time, but the reactor's run() waits for the end of the question.
    [[nodiscard]] static boost::asio::awaitable<outcome<dialled>> dial(
        std::shared_ptr<dialler> self, server_address where, instant deadline);

    /// dial() ends with `cancelled`.
    void give_up();

  private:
    static boost::asio::awaitable<void> dial_host(std::shared_ptr<dialler> self,
                                                  net::host_port where);
    static boost::asio::awaitable<void> look_up(std::shared_ptr<dialler> self,
                                                net::host_port where);
    template <class Protocol>
    static boost::asio::awaitable<void> attempt(std::shared_ptr<dialler> self,
                                                typename Protocol::endpoint endpoint,
                                                std::string name);

    void start_clock(instant deadline);
    void found(result<net::endpoint_list> endpoints);
    template <class Socket>
    void attempted(Socket socket, const boost::system::error_code& why_not, std::string name);
    void stop(failure why);
    [[nodiscard]] bool goes_on() const { return !stream_ && !failure_; }
    [[nodiscard]] failure nobody_answered() const;
    [[nodiscard]] outcome<dialled> finish();

    boost::asio::any_io_executor executor_;
    bool plaintext_;
    boost::asio::steady_timer timer_;
    bell looked_up_;
    net::endpoint_list endpoints_;
    std::function<void()> abandon_attempt_; ///< closes the socket that is being connected
    std::vector<std::string> tried_;
    std::vector<std::error_code> reasons_; ///< why each of them did not answer
    std::unique_ptr<net::byte_stream> stream_;
    std::optional<failure> failure_;
};

} // namespace almenara::client
