#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "demo/child_process.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almenara::cli {

/// Servers 1 to N of one cluster on this machine, as children of this process: each on a port of
/// its own of 127.0.0.1, all below one directory.
class local_servers {
  public:
    struct settings {
        std::size_t count = 3;
        std::uint16_t first_port = 0;
        std::string directory;                              ///< it is there
        std::string program;                                ///< almenarad
        duration longest_secret = std::chrono::seconds{10}; ///< for making the cluster's secret
    };
    enum class state : std::uint8_t {
        runs,
        paused,
        ended,
    };
    /// A server that nobody had asked to end.
    using on_unexpected_end = std::function<void(server_id which, child_process::end how)>;

    local_servers(boost::asio::any_io_executor executor, settings wanted, on_unexpected_end then);

    /// Makes the cluster's secret, if there is none yet, and starts all of them.
    [[nodiscard]] boost::asio::awaitable<result<void>> start_all();
    /// Ends start_all() soon, which starts no more of them.
    void give_up_start();
    [[nodiscard]] result<void> start(server_id which);
    /// kill -9; returns when it is gone.
    [[nodiscard]] boost::asio::awaitable<void> kill(server_id which);
    void pause(server_id which);
    void resume(server_id which);

    /// Asks all of them to stop and waits until they have, or kills them when it takes too long.
    [[nodiscard]] boost::asio::awaitable<void> stop_all();
    /// What stop_all() does, without waiting.
    void kill_all();

    [[nodiscard]] const std::vector<server_id>& ids() const { return ids_; }
    [[nodiscard]] state state_of(server_id which) const;
    [[nodiscard]] pid_t pid_of(server_id which) const; ///< it runs or is paused
    [[nodiscard]] std::string address(server_id which) const;
    [[nodiscard]] std::vector<std::string> addresses() const;
    /// Where it writes what it says.
    [[nodiscard]] std::string log_file(server_id which) const;
    /// What it has said there since it was started, the end of it.
    [[nodiscard]] std::string said(server_id which) const;

  private:
    [[nodiscard]] boost::asio::awaitable<result<void>> make_secret();
    [[nodiscard]] boost::asio::awaitable<child_process::end> end_of_maker();
    [[nodiscard]] error no_secret(child_process::end how, const std::string& what_it_said) const;
    [[nodiscard]] child_process::program secret_maker() const;
    [[nodiscard]] std::string peers() const;
    [[nodiscard]] std::string secret_file() const;
    void ended(server_id which, child_process::end how);

    struct one {
        std::unique_ptr<child_process> child;
        bool is_paused = false;
        bool is_to_end = false;
    };

    boost::asio::any_io_executor executor_;
    settings settings_;
    on_unexpected_end then_;
    std::vector<server_id> ids_;
    std::map<server_id, one> running_;
    std::map<server_id, std::uintmax_t> said_before_; ///< bytes of its log of earlier starts
    boost::asio::steady_timer one_ended_;

    std::unique_ptr<child_process> maker_; ///< of the secret
    std::optional<child_process::end> maker_end_;
    boost::asio::steady_timer maker_ended_;
    bool is_maker_late_ = false;
    bool is_given_up_ = false;
};

} // namespace almenara::cli
