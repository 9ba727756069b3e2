#pragma once

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "client/dialler.hpp"
#include "client/failure.hpp"
#include "client/messages.hpp"
#include "client/routes.hpp"
#include "client/server_ear.hpp"
#include "net/byte_pump.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace almenara::client {

/// One connection of a client to one of its servers, from the dial to the goodbye: it moves
/// messages and decides nothing. Whatever is under way keeps it alive.
class link final : public std::enable_shared_from_this<link>, private net::byte_pump::owner {
  public:
    /// Who talks over it. May close it from any of these.
    class owner {
      public:
        owner() = default;
        owner(const owner&) = delete;
        owner& operator=(const owner&) = delete;

        virtual void link_connected(link_id which) = 0;
        virtual void link_failed(link_id which, failure why) = 0;
        /// Bytes came; the messages in them follow.
        virtual void link_alive(link_id which) = 0;
        virtual void link_heard(link_id which, from_server&& message) = 0;
        virtual void link_broke_rules(link_id which, std::string why) = 0;
        virtual void link_ended(link_id which, std::error_code why) = 0;
        /// What was told in this turn has been told.
        virtual void link_told_all() = 0;
        /// After finish(): it is gone.
        virtual void link_gone(link_id which) = 0;

      protected:
        ~owner() = default;
    };

    struct settings {
        link_id id;
        bool plaintext = false;
        duration longest_goodbye{};
    };

    link(boost::asio::any_io_executor executor, settings how, owner& told);

    /// Dials the addresses one by one.
    static void start(const std::shared_ptr<link>& self,
                      std::vector<std::string> addresses,
                      instant by);

    void say(const to_server& message) { append_to(unsent_, message); }
    /// Sends what was said.
    void flush();

    /// Sends what was said, waits, but not for long, until the server has heard it, and is gone.
    /// Nothing else is told any more.
    void finish();
    /// At once; nothing is told any more.
    void close();

  private:
    enum class phase : std::uint8_t { dialling, talking, leaving, over };

    static boost::asio::awaitable<void> dial(std::shared_ptr<link> self,
                                             std::vector<std::string> addresses,
                                             instant by);
    void become_talking(dialled way);
    void become_leaving();
    void become_over();

    // net::byte_pump::owner
    std::span<std::byte> read_into() override { return ear_.free_space(); }
    void bytes_arrived(std::size_t count) override;
    void stream_ended(const boost::system::error_code& why) override;

    boost::asio::any_io_executor executor_;
    settings how_;
    owner* owner_; ///< nothing once it has closed the link
    phase phase_ = phase::dialling;
    std::shared_ptr<dialler> dialler_;
    std::shared_ptr<net::byte_pump> pump_;
    server_ear ear_;
    base::byte_vector unsent_;
    boost::asio::steady_timer goodbye_;
};

} // namespace almenara::client
