#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace almenara::net {

/// How far a read or a write came.
struct transferred {
    boost::system::error_code failure{};
    std::size_t bytes = 0;
};

/// Where the other end of a stream is.
struct peer_address {
    std::string host;               ///< what limits per address count; "local" for a Unix socket
    std::string text;               ///< for logs: 127.0.0.1:40312
    std::optional<unsigned> user{}; ///< of the process at the other end of a Unix socket
};

/// A connection that carries bytes. Sessions and links are written against this and do not know
/// whether TLS lies below.
class byte_stream {
  public:
    byte_stream() = default;
    byte_stream(const byte_stream&) = delete;
    byte_stream& operator=(const byte_stream&) = delete;
    virtual ~byte_stream() = default;

    /// Waits until there is something to read, the end included, and reads nothing.
    virtual boost::asio::awaitable<boost::system::error_code> readable() = 0;

    /// At least one byte, or a failure; asio::error::eof when the other end has said all.
    virtual boost::asio::awaitable<transferred> read_some(std::span<std::byte> into) = 0;

    /// At least one byte, or a failure. The bytes must stay until then.
    virtual boost::asio::awaitable<transferred> write_some(base::byte_view bytes) = 0;

    /// As much as goes without waiting. Only while no write_some() is under way.
    virtual transferred write_now(base::byte_view bytes) = 0;

    /// The first bytes that wait to be read, without taking them: as many as there are, and none
    /// while nothing waits.
    virtual std::size_t peek(std::span<std::byte> into) = 0;

    /// The connection ends when what was sent is not acknowledged for so long; a Unix socket knows
    /// no such thing.
    virtual void end_when_unheard_for(std::chrono::milliseconds limit) = 0;

    /// Tells the other end that there is no more to come.
    virtual void end_sending() = 0;

    /// At once; what waits ends with asio::error::operation_aborted.
    virtual void close() = 0;

    [[nodiscard]] virtual const peer_address& peer() const = 0;
};

/// A stream without TLS. Fails when the other end is gone already.
[[nodiscard]] result<std::unique_ptr<byte_stream>> make_plain_stream(
    boost::asio::ip::tcp::socket socket);
[[nodiscard]] result<std::unique_ptr<byte_stream>> make_plain_stream(
    boost::asio::local::stream_protocol::socket socket);

} // namespace almenara::net
