#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "net/byte_pump.hpp"
#include "replica/gate.hpp"
#include "wire/frame.hpp"
#include "wire/presence.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace almenara::server {

class peer_link;

/// Who keeps the connections to other servers.
class link_keeper {
  public:
    link_keeper() = default;
    link_keeper(const link_keeper&) = delete;
    link_keeper& operator=(const link_keeper&) = delete;

    /// A whole frame with a good checksum.
    virtual void heard(replica::frame_received frame) = 0;
    /// C.2: the same with what is none of the log's. Nobody has looked at who says it.
    virtual void heard(const peer_link& link, almenara::epoch epoch, wire::presence what) = 0;
    /// Its first frame said which kind it is.
    virtual void introduced(peer_link& link) = 0;
    /// It did what no server of this version does, and ends.
    virtual void broke_off(const peer_link& link, const std::string& why) = 0;
    /// Nothing more will come, and nothing more can be sent.
    virtual void ended(peer_link& link, std::string why) = 0;

  protected:
    ~link_keeper() = default;
};

/// One control or bulk connection between two servers: bytes to messages and back. It decides
/// nothing; who may speak and which connection counts is the core's matter (B.15).
class peer_link final : private net::byte_pump::owner {
  public:
    /// `kind`: of one that was dialled. An accepted one says it in its HELLO.
    peer_link(boost::asio::any_io_executor executor,
              link_keeper& keeper,
              connection_id id,
              std::optional<replica::connection_kind> kind,
              std::unique_ptr<net::byte_stream> stream);
    ~peer_link();

    void start() { pump_->start_reading(); }

    /// Frames for flush(). It is not called while a flush is under way.
    [[nodiscard]] base::byte_vector& outbox() { return outbox_; }
    void flush();
    /// What is queued goes out, nothing is heard any more, and then it ends.
    void finish();
    /// At once. The keeper hears that it has ended.
    void end(std::string why);

    [[nodiscard]] connection_id id() const { return id_; }
    [[nodiscard]] bool is_over() const { return is_over_; }
    [[nodiscard]] const std::string& peer() const { return peer_; } ///< for logs
    [[nodiscard]] std::size_t queued() const { return pump_->queued(); }

    /// For the keeper: whether its outbox is to be flushed, and whether it is being closed.
    bool is_listed = false;
    bool is_leaving = false;

  private:
    std::span<std::byte> read_into() override;
    void bytes_arrived(std::size_t count) override;
    void stream_ended(const boost::system::error_code& why) override;

    void decode(const wire::frame& whole);
    void decode_presence(const wire::frame& whole);
    void becomes(replica::connection_kind kind);
    void breaks_off(std::string why);

    link_keeper& keeper_;
    connection_id id_;
    wire::frame_decoder decoder_;
    base::byte_vector outbox_;
    std::shared_ptr<net::byte_pump> pump_;
    std::string peer_;
    bool is_known_ = false; ///< of which kind it is
    bool is_over_ = false;
};

} // namespace almenara::server
