#pragma once

#include "base/error.hpp"
#include "base/hash.hpp"
#include "server/beacon_desk.hpp"
#include "server/beacon_host.hpp"
#include "server/reactor.hpp"
#include "server/turn_timer.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace almenara::server {

/// C.2: the server's datagrams. It moves them between a socket and its desk, tells the desk once a
/// turn what the server around knows of the office, and that one what the backups are to be told.
class beacon {
  public:
    /// `around` outlives it.
    beacon(reactor& turns, beacon_host& around, const base::key256& cluster_secret);
    ~beacon();
    beacon(const beacon&) = delete;
    beacon& operator=(const beacon&) = delete;

    /// Where TCP is served already: the same number, the other protocol.
    [[nodiscard]] result<void> open(const boost::asio::ip::tcp::endpoint& at);
    /// Datagrams are read from now on.
    void begin();
    /// When what came of the turn is known.
    void end_of_turn();
    void close();

    /// For the state dump.
    [[nodiscard]] std::string in_words() const;

  private:
    void wait_for_datagrams();
    void read_some();
    void send_all();
    void look_at_the_office();
    void set_timer();

    reactor& turns_;
    beacon_host& around_;
    beacon_desk desk_;
    boost::asio::ip::udp::socket socket_;
    boost::asio::steady_timer timer_;
    turn_timer due_;
    /// One byte more than any of ours has: longer ones are seen to be so.
    std::array<std::byte, wire::largest_datagram + 1> buffer_{};
    bool is_listening_ = false; ///< for the next datagram
    bool is_open_ = false;
    std::uint64_t unsent_ = 0; ///< the socket took no more, or nobody is there
    std::uint64_t strangers_ = 0;
};

} // namespace almenara::server
