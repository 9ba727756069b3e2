#pragma once

#include "base/ids.hpp"
#include "net/byte_pump.hpp"
#include "server/client_session.hpp"
#include "server/reactor.hpp"
#include "wire/frame.hpp"

#include <boost/system/error_code.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace almenara::server {

class client_connection;

/// Who keeps the connections and is told what they need.
class connection_keeper {
  public:
    connection_keeper() = default;
    connection_keeper(const connection_keeper&) = delete;
    connection_keeper& operator=(const connection_keeper&) = delete;

    /// Something changed: flush() the connection at the end of this turn.
    virtual void touched(client_connection& connection) = 0;
    /// The first bytes wait; true to read them now, false to wait for read_now().
    [[nodiscard]] virtual bool may_speak(client_connection& connection) = 0;
    /// The first bytes wait, and they may be another server's: then whoever keeps links takes the
    /// stream (take_stream), and the connection is over.
    [[nodiscard]] virtual bool hand_over(client_connection& connection) = 0;
    /// There is no room at the door: those at it must be quick.
    [[nodiscard]] virtual bool is_crowded() const = 0;

  protected:
    ~connection_keeper() = default;
};

/// A client's session and its socket. Decides nothing: it carries bytes and the time to the session
/// and does what the session says next.
class client_connection final : private net::byte_pump::owner {
  public:
    client_connection(reactor& turns,
                      connection_keeper& keeper,
                      session_host& host,
                      const session_limits& limits,
                      connection_id id,
                      client_origin origin,
                      std::unique_ptr<net::byte_stream> stream);
    ~client_connection();

    void start();
    void read_now();
    /// Carries out what the session said in this turn.
    void flush();
    void deadline();
    void stop();
    void answer(client_answer&& what);
    void push(base::byte_view frame);
    void dismiss(std::string why);
    /// There is no room at the door. Its deadline may be another one now.
    void hurry();

    /// The type that stands in the first header, as far as it has come. Nothing is read.
    [[nodiscard]] std::optional<wire::message_type> first_type();
    [[nodiscard]] std::unique_ptr<net::byte_stream> take_stream();

    [[nodiscard]] connection_id id() const { return id_; }
    [[nodiscard]] client_origin origin() const { return origin_; }
    [[nodiscard]] const client_session& session() const { return session_; }
    [[nodiscard]] const net::peer_address& peer() const { return pump_->peer(); }
    [[nodiscard]] bool is_over() const { return is_over_; }

    /// For the keeper: whether it stands in the list of those to be flushed.
    bool is_listed_as_touched = false;

  private:
    void first_bytes_wait() override;
    std::span<std::byte> read_into() override;
    void bytes_arrived(std::size_t count) override;
    void all_sent() override;
    bool half_closed() override;
    void stream_ended(const boost::system::error_code& why) override;

    reactor& turns_;
    connection_keeper& keeper_;
    connection_id id_;
    client_origin origin_;
    client_session session_;
    std::shared_ptr<net::byte_pump> pump_;
    bool is_paused_ = false;
    bool is_over_ = false;
};

} // namespace almenara::server
