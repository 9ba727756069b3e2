#include "net/address.hpp"
#include "net/byte_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <type_traits>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace almenara::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

template <class Socket>
class plain_stream final : public byte_stream {
  public:
    plain_stream(Socket socket, peer_address peer)
        : socket_(std::move(socket)), peer_(std::move(peer)) {}

    asio::awaitable<error_code> readable() override {
        const auto outcome = co_await socket_.async_wait(asio::socket_base::wait_read,
                                                         asio::as_tuple(asio::use_awaitable));
        co_return std::get<0>(outcome);
    }

    asio::awaitable<transferred> read_some(std::span<std::byte> into) override {
        const asio::mutable_buffer buffer{into.data(), into.size()};
        const auto outcome =
            co_await socket_.async_read_some(buffer, asio::as_tuple(asio::use_awaitable));
        co_return transferred{std::get<0>(outcome), std::get<1>(outcome)};
    }

    asio::awaitable<transferred> write_some(base::byte_view bytes) override {
        const asio::const_buffer buffer{bytes.data(), bytes.size()};
        const auto outcome =
            co_await socket_.async_write_some(buffer, asio::as_tuple(asio::use_awaitable));
        co_return transferred{std::get<0>(outcome), std::get<1>(outcome)};
    }

    transferred write_now(base::byte_view bytes) override {
        transferred done;
        done.bytes =
            socket_.write_some(asio::const_buffer{bytes.data(), bytes.size()}, done.failure);
        if (done.failure == asio::error::would_block || done.failure == asio::error::try_again) {
            done.failure = {};
        }
        return done;
    }

    std::size_t peek(std::span<std::byte> into) override {
        const ssize_t got =
            ::recv(socket_.native_handle(), into.data(), into.size(), MSG_PEEK | MSG_DONTWAIT);
        return got > 0 ? static_cast<std::size_t>(got) : 0; // Whoever reads finds out why.
    }

    void end_when_unheard_for(std::chrono::milliseconds limit) override {
        if constexpr (std::is_same_v<Socket, asio::ip::tcp::socket>) {
            const auto wanted = static_cast<unsigned>(limit.count());
            // Only a quicker end is lost if the system refuses it.
            static_cast<void>(::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT,
                                           &wanted, sizeof(wanted)));
        }
    }

    void end_sending() override {
        error_code ignored; // The other end may be gone already; the next read says so.
        socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    }

    void close() override {
        error_code ignored; // Whatever close() says, the descriptor is gone.
        socket_.close(ignored);
    }

    [[nodiscard]] const peer_address& peer() const override { return peer_; }

  private:
    Socket socket_;
    peer_address peer_;
};

error gone(const error_code& failure) {
    return {errc::unavailable, "the other end went away at once", failure};
}

} // namespace

result<std::unique_ptr<byte_stream>> make_plain_stream(asio::ip::tcp::socket socket) {
    error_code failure;
    const auto endpoint = socket.remote_endpoint(failure);
    if (failure) {
        return gone(failure);
    }
    socket.set_option(asio::ip::tcp::no_delay{true}, failure);
    if (!failure) {
        socket.non_blocking(true, failure);
    }
    if (failure) {
        return gone(failure);
    }
    peer_address peer{endpoint.address().to_string(), to_string(endpoint)};
    return std::unique_ptr<byte_stream>{
        std::make_unique<plain_stream<asio::ip::tcp::socket>>(std::move(socket), std::move(peer))};
}

result<std::unique_ptr<byte_stream>> make_plain_stream(
    asio::local::stream_protocol::socket socket) {
    ::ucred credentials{};
    ::socklen_t size = sizeof(credentials);
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return last_system_error("asking who is at the other end of a Unix socket");
    }
    error_code failure;
    socket.non_blocking(true, failure);
    if (failure) {
        return gone(failure);
    }
    peer_address peer{"local", fmt::format("local process {}", credentials.pid), credentials.uid};
    return std::unique_ptr<byte_stream>{
        std::make_unique<plain_stream<asio::local::stream_protocol::socket>>(std::move(socket),
                                                                             std::move(peer))};
}

} // namespace almenara::net
