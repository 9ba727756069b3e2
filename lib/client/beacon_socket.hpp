#pragma once

#include "base/bytes.hpp"
#include "client/failover_output.hpp"
#include "wire/beacon.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/udp.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <system_error>

namespace almenara::client {

/// A client's datagrams (C.2): moves them and decides nothing. A socket is made when there is
/// somebody to send to, and keeps its port. What cannot be sent is lost, as datagrams are.
class beacon_socket final : public std::enable_shared_from_this<beacon_socket> {
  public:
    class owner {
      public:
        owner() = default;
        owner(const owner&) = delete;
        owner& operator=(const owner&) = delete;

        virtual void datagram_came(base::byte_view bytes) = 0;
        /// What came in this turn has been told.
        virtual void datagrams_told() = 0;
        /// There is no socket. Told once; what is to be sent from then on is not.
        virtual void no_datagrams(std::error_code why) = 0;

      protected:
        ~owner() = default;
    };

    /// As long as there is no TLS nothing leaves this machine (F).
    beacon_socket(boost::asio::any_io_executor executor, owner& told);

    void send(const datagram_order& what);
    /// Nothing is told any more.
    void close();

  private:
    using udp = boost::asio::ip::udp;

    void send_to(const udp::endpoint& where, base::byte_view bytes);
    [[nodiscard]] udp::socket* socket_for(const udp::endpoint& where);
    void wait(std::optional<udp::socket>& socket);
    void read(udp::socket& socket);

    boost::asio::any_io_executor executor_;
    owner* owner_; ///< nothing once it is closed
    std::optional<udp::socket> v4_;
    std::optional<udp::socket> v6_;
    bool is_deaf_ = false;
    /// One byte more than there can be: what is longer is none of ours.
    std::array<std::byte, wire::largest_datagram + 1> buffer_{};
};

} // namespace almenara::client
