#pragma once

#include "base/bytes.hpp"
#include "net/byte_stream.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace almenara::net {

/// Moves bytes between a stream and its owner, and decides nothing. Its two coroutines keep it
/// alive; the owner may go at any time after close().
class byte_pump : public std::enable_shared_from_this<byte_pump> {
  public:
    /// Who reads and writes. Called from the reactor only; may call the pump back.
    class owner {
      public:
        owner() = default;
        owner(const owner&) = delete;
        owner& operator=(const owner&) = delete;

        /// Something can be read; nothing was yet. Asked for once, by await_first_bytes().
        virtual void first_bytes_wait() {}
        /// Where to read to; never empty.
        virtual std::span<std::byte> read_into() = 0;
        virtual void bytes_arrived(std::size_t count) = 0;
        /// Everything that was queued has been handed to the system.
        virtual void all_sent() {}
        /// The other end says no more, but may still read. True: finish() will come, in this turn.
        /// False: the stream has ended.
        virtual bool half_closed() { return false; }
        /// The other end closed, or the connection failed; said once, never after close().
        virtual void stream_ended(const boost::system::error_code& why) = 0;

      protected:
        ~owner() = default;
    };

    byte_pump(boost::asio::any_io_executor executor,
              std::unique_ptr<byte_stream> stream,
              owner& bytes_owner,
              std::string name);

    /// Waits for the first bytes without reading them, so that a connection which says nothing
    /// costs a descriptor and no buffer.
    void await_first_bytes();

    /// The first bytes that wait, without taking them.
    [[nodiscard]] std::size_t peek(std::span<std::byte> into) { return stream_->peek(into); }

    /// Gives the stream away, before anything was read or sent: when the first bytes say that it is
    /// somebody else's. Nothing else may be asked of the pump behind it but close().
    [[nodiscard]] std::unique_ptr<byte_stream> release();

    /// See byte_stream.
    void end_when_unheard_for(std::chrono::milliseconds limit) {
        stream_->end_when_unheard_for(limit);
    }

    /// Reads until pause_reading(), the end or a failure.
    void start_reading();
    void pause_reading();

    /// Takes all bytes out of `out`, writes what goes at once and queues the rest.
    void send(base::byte_vector& out);

    /// Bytes queued and not yet taken by the system.
    [[nodiscard]] std::size_t queued() const { return writing_.size() - written_ + next_.size(); }

    /// Bytes that the system has taken so far: it grows while the other end reads.
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

    /// An orderly end: sends what is queued, says that there is no more, and reads on without
    /// handing bytes to the owner until the other end closes. Closing at once instead would throw
    /// away what the other end has not read yet. The owner bounds it by a deadline and close().
    void finish();

    /// At once. The owner hears nothing more.
    void close();

    [[nodiscard]] const peer_address& peer() const { return stream_->peer(); }

  private:
    static boost::asio::awaitable<void> wait_for_first(std::shared_ptr<byte_pump> self);
    static boost::asio::awaitable<void> read_loop(std::shared_ptr<byte_pump> self);
    static boost::asio::awaitable<void> write_loop(std::shared_ptr<byte_pump> self);
    void read_failed(const boost::system::error_code& why);
    void ended(const boost::system::error_code& why);
    void everything_written();

    boost::asio::any_io_executor executor_;
    std::unique_ptr<byte_stream> stream_;
    owner* owner_; ///< nothing once the owner is gone or has heard of the end
    std::string name_;
    base::byte_vector writing_; ///< being written; its first written_ bytes are
    base::byte_vector next_;    ///< queued behind it
    std::size_t written_ = 0;
    std::uint64_t sent_ = 0;
    bool reading_ = false; ///< a read_loop runs
    bool paused_ = false;
    bool write_loop_runs_ = false;
    bool finishing_ = false;
    bool heard_all_ = false; ///< the other end will say no more; what is queued still goes out
    bool closed_ = false;
};

} // namespace almenara::net
