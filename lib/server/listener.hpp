#pragma once

#include "base/error.hpp"
#include "net/byte_stream.hpp"
#include "server/reactor.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace almenara::server {

/// Who takes what a listener accepts.
class guest_house {
  public:
    guest_house() = default;
    guest_house(const guest_house&) = delete;
    guest_house& operator=(const guest_house&) = delete;

    virtual void accepted(std::unique_ptr<net::byte_stream> stream) = 0;
    /// While false nothing is accepted; the listener's resume() goes on.
    [[nodiscard]] virtual bool has_room() const = 0;

  protected:
    ~guest_house() = default;
};

/// Accepts connections until it is closed. When the system has no descriptor or memory for another
/// one it backs off instead of trying in a circle.
template <class Protocol>
class listener : public std::enable_shared_from_this<listener<Protocol>> {
  public:
    using endpoint = typename Protocol::endpoint;

    listener(reactor& turns, guest_house& house, std::string name);

    [[nodiscard]] result<void> open(const endpoint& at);
    [[nodiscard]] endpoint local() const;

    /// Accepts, if it is open, the house has room and it does not accept already.
    void resume();
    void close();

  private:
    static boost::asio::awaitable<void> accept_loop(std::shared_ptr<listener> self);
    boost::asio::awaitable<void> back_off(const boost::system::error_code& failure);

    reactor& turns_;
    guest_house& house_;
    std::string name_;
    typename Protocol::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    duration back_off_{0};
    bool accepting_ = false;
};

using tcp_listener = listener<boost::asio::ip::tcp>;
using local_listener = listener<boost::asio::local::stream_protocol>;

extern template class listener<boost::asio::ip::tcp>;
extern template class listener<boost::asio::local::stream_protocol>;

} // namespace almenara::server
