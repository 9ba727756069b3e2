#pragma once

#include "base/time.hpp"
#include "client/api.hpp"
#include "client/connection.hpp"
#include "command_line.hpp"
#include "console.hpp"
#include "exit_code.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace almenara::cli {

/// What a command runs in: where it prints, which server it asks, how long it waits, and whether
/// somebody pressed Ctrl-C.
class runtime {
  public:
    runtime(boost::asio::any_io_executor executor, console& out, const invocation& asked);

    /// Before the command runs: it is one of a shell, whose lines stand on the standard input. It
    /// uses the shell's client if one is lent, which lives on.
    void serve_shell(client::api* lent);

    [[nodiscard]] console& out() { return out_; }
    [[nodiscard]] const invocation& asked() const { return asked_; }
    [[nodiscard]] table_look look() const;

    /// When the round is late: the dial, the welcome and the answer together. The first round
    /// begins with the command.
    [[nodiscard]] instant deadline() const { return deadline_; }

    /// A command that asks again and again gives each further round the time anew.
    void begin_round();

    /// Whether the command should come to its end: it was interrupted, or nobody reads any more.
    [[nodiscard]] bool must_stop() const { return interrupted_ || out_.broken(); }
    [[nodiscard]] bool interrupted() const { return interrupted_; }

    /// Ends what waits. Only a client of its own is left with a goodbye.
    void interrupt();

    /// Whether somebody is asked now and has not answered, and since when.
    [[nodiscard]] std::optional<instant> waits_since() const { return waits_since_; }

    /// What is typed as `-` stands on the standard input; a shell's lines stand there themselves.
    [[nodiscard]] bool owns_input() const { return owns_input_; }

    /// Until then, or until interrupted.
    [[nodiscard]] boost::asio::awaitable<void> pause_until(instant when);

    /// Prints why the command could not do what it was asked; nothing if it was interrupted.
    exit_code fail(const client::failure& why);
    /// The same for what the cluster answered; `about` is what it was asked about.
    exit_code fail(const std::string& about, const client::answer& how);
    /// The same for what may have changed something: an interrupt leaves nobody in doubt.
    exit_code fail_write(const complaint& why, const client::answer& how);

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

    /// The client of the whole cluster: the one that was lent if there is one, else the command's
    /// own. It says who it waits for.
    class cluster {
      public:
        explicit cluster(runtime& here);
        ~cluster() { here_.cluster_ = nullptr; }
        cluster(const cluster&) = delete;
        cluster& operator=(const cluster&) = delete;

        [[nodiscard]] boost::asio::awaitable<client::answer> write(base::byte_vector body,
                                                                   instant deadline);
        [[nodiscard]] boost::asio::awaitable<client::answer> read(base::byte_vector body,
                                                                  instant deadline);
        [[nodiscard]] boost::asio::awaitable<client::answer> log_in(instant deadline);
        [[nodiscard]] boost::asio::awaitable<client::answer> administer(wire::admin what,
                                                                        instant deadline);
        [[nodiscard]] boost::asio::awaitable<client::api::logout> log_out(instant deadline);
        [[nodiscard]] const std::optional<wire::login_ok>& user() const { return api_->user(); }

        /// The command is done with it: its own says goodbye, and its session ends unless it is
        /// kept for the next run.
        [[nodiscard]] boost::asio::awaitable<void> close();

      private:
        friend class runtime;
        template <class Answer>
        [[nodiscard]] boost::asio::awaitable<Answer> until_interrupted(
            boost::asio::awaitable<Answer> asked);

        runtime& here_;
        std::unique_ptr<client::api> own_;
        client::api* api_;
        bool keeps_state_ = false; ///< its own
        boost::asio::cancellation_signal stop_;
    };

  private:
    /// As long as it lives somebody is waited for.
    class wait_mark {
      public:
        explicit wait_mark(runtime& here);
        ~wait_mark() { here_.waits_since_.reset(); }
        wait_mark(const wait_mark&) = delete;
        wait_mark& operator=(const wait_mark&) = delete;

      private:
        runtime& here_;
    };

    boost::asio::any_io_executor executor_;
    console& out_;
    const invocation& asked_;
    client::api* lent_ = nullptr;
    bool owns_input_ = true;
    instant deadline_;
    boost::asio::steady_timer pause_;
    std::optional<instant> waits_since_;
    link* link_ = nullptr; ///< a command has one at a time
    cluster* cluster_ = nullptr;
    bool interrupted_ = false;
};

/// How a client of the cluster is made as the command line says. Where nobody has named a place for
/// its state and the usual one cannot be had, it keeps none, which is said.
[[nodiscard]] client::api_options client_options(const invocation& asked,
                                                 client::ways usual,
                                                 console& out);

/// What is told of primaries and of the ways to them; nothing of other news.
[[nodiscard]] std::string line_about(const client::news& what);
/// What everybody is told, asked for or not: of earlier runs and of servers of other clusters;
/// nothing of other news.
[[nodiscard]] std::string warning_about(const client::news& what);
/// The same of what is wrong with the files of the client.
[[nodiscard]] std::string warning_about(const std::string& note);

} // namespace almenara::cli
