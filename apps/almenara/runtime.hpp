#pragma once

#include "base/time.hpp"
#include "client/api.hpp"
#include "client/connection.hpp"
#include "command_line.hpp"
#include "console.hpp"
#include "exit_code.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace almenara::cli {

/// What a command runs in: where it prints, which server it asks, how long it waits, and whether
/// somebody pressed Ctrl-C.
class runtime {
  public:
    runtime(boost::asio::any_io_executor executor, console& out, const invocation& asked);

    [[nodiscard]] console& out() { return out_; }
    [[nodiscard]] const invocation& asked() const { return asked_; }

    /// When the round is late: the dial, the welcome and the answer together. The first round
    /// begins with the command.
    [[nodiscard]] instant deadline() const { return deadline_; }

    /// A command that asks again and again gives each further round the time anew.
    void begin_round();

    /// Whether the command should come to its end: it was interrupted, or nobody reads any more.
    [[nodiscard]] bool must_stop() const { return interrupted_ || out_.broken(); }
    [[nodiscard]] bool interrupted() const { return interrupted_; }

    /// Ends what waits, saying goodbye to the server.
    void interrupt();

    /// Until then, or until interrupted.
    [[nodiscard]] boost::asio::awaitable<void> pause_until(instant when);

    /// Prints why the command could not do what it was asked; nothing if it was interrupted.
    exit_code fail(const client::failure& why);
    /// The same for what the cluster answered; `about` is what it was asked about.
    exit_code fail(const std::string& about, const client::answer& how);

    /// Good, unless it was interrupted.
    [[nodiscard]] exit_code done() const {
        return interrupted_ ? exit_code::interrupted : exit_code::ok;
    }

    /// The connection of a command to one server, which an interrupt must reach.
    class link {
      public:
        explicit link(runtime& here);
        ~link() { here_.link_ = nullptr; }
        link(const link&) = delete;
        link& operator=(const link&) = delete;

        /// To the first of the servers that lets this client in.
        [[nodiscard]] boost::asio::awaitable<client::outcome<wire::welcome>> open();
        client::connection* operator->() { return connection_.get(); }

      private:
        friend class runtime;
        runtime& here_;
        std::unique_ptr<client::connection> connection_;
    };

    /// A command's client of the whole cluster.
    class cluster {
      public:
        explicit cluster(runtime& here);
        ~cluster() { here_.cluster_ = nullptr; }
        cluster(const cluster&) = delete;
        cluster& operator=(const cluster&) = delete;

        client::api* operator->() { return &api_; }

      private:
        friend class runtime;
        runtime& here_;
        client::api api_;
    };

  private:
    boost::asio::any_io_executor executor_;
    console& out_;
    const invocation& asked_;
    instant deadline_;
    boost::asio::steady_timer pause_;
    link* link_ = nullptr; ///< a command has one at a time
    cluster* cluster_ = nullptr;
    bool interrupted_ = false;
};

} // namespace almenara::cli
