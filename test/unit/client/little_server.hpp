#pragma once

#include "net/byte_pump.hpp"
#include "unit/client/server_voice.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace almenara::test {

/// One client at a little server.
class visitor final : private net::byte_pump::owner {
  public:
    using manners = std::function<void(visitor&, const client_message&)>;

    visitor(boost::asio::any_io_executor executor,
            std::unique_ptr<net::byte_stream> stream,
            manners how);
    ~visitor() { pump_->close(); }

    template <class Message>
    void say(const Message& message) {
        base::byte_vector bytes = bytes_of(message);
        pump_->send(bytes);
    }
    void send(base::byte_view bytes);
    void hang_up() { pump_->finish(); }
    void stop_listening() { pump_->pause_reading(); }
    void listen_again() { pump_->start_reading(); }

    [[nodiscard]] const std::vector<client_message>& heard() const { return heard_; }
    [[nodiscard]] bool is_gone() const { return gone_; }
    /// What the client has not taken.
    [[nodiscard]] std::size_t unsent() const { return pump_->queued(); }

  private:
    std::span<std::byte> read_into() override { return buffer_; }
    void bytes_arrived(std::size_t count) override;
    void stream_ended(const boost::system::error_code& why) override;

    manners how_;
    std::array<std::byte, 4096> buffer_{};
    client_ear ear_;
    std::vector<client_message> heard_;
    std::shared_ptr<net::byte_pump> pump_;
    bool gone_ = false;
};

/// What a good server does: welcomes, answers, and hangs up behind a goodbye.
void polite(visitor& client, const client_message& message);

/// A server for tests of the client: it shares the test's reactor and does what the test says.
class little_server {
  public:
    explicit little_server(boost::asio::io_context& context) : context_(context) {}

    void listen_on_loopback();
    void listen_on(const std::string& unix_socket);
    /// Accepts nobody any more and forgets whom it has.
    void stop();

    [[nodiscard]] std::uint16_t port() const { return tcp_->local_endpoint().port(); }
    [[nodiscard]] std::string address() const;
    [[nodiscard]] visitor& last_visitor() { return *visitors_.back(); }
    [[nodiscard]] std::size_t visits() const { return visitors_.size(); }

    visitor::manners behave = polite;

  private:
    template <class Acceptor>
    static boost::asio::awaitable<void> accept_all(little_server& self, Acceptor& acceptor);

    boost::asio::io_context& context_;
    std::optional<boost::asio::ip::tcp::acceptor> tcp_;
    std::optional<boost::asio::local::stream_protocol::acceptor> local_;
    std::vector<std::unique_ptr<visitor>> visitors_;
};

/// A reactor, a server in it, and a story that runs beside it. The test fails when the story takes
/// longer than any story should.
class stage {
  public:
    stage() { server.listen_on_loopback(); }

    void play(const std::function<boost::asio::awaitable<void>()>& story);

    boost::asio::io_context context;
    little_server server{context};
};

} // namespace almenara::test
