#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "net/address.hpp"
#include "net/signal_watch.hpp"
#include "server/beacon.hpp"
#include "server/change_hook.hpp"
#include "server/client_registry.hpp"
#include "server/cluster_options.hpp"
#include "server/driver.hpp"
#include "server/exit_watch.hpp"
#include "server/go_listener.hpp"
#include "server/listener.hpp"
#include "server/reactor.hpp"
#include "server/service_manager.hpp"
#include "storage/data_directory.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace almenara::server {

struct daemon_options {
    std::string data_dir;
    net::host_port listen;
    std::optional<server_id> id;
    std::optional<std::size_t> max_clients; ///< nothing: auto
    session_limits session;
    cluster_options cluster;
    std::optional<std::string> on_primary_change; ///< a script
};

/// What can be changed while it runs.
struct reloadable_options {
    std::optional<std::size_t> max_clients;
    std::optional<std::string> on_primary_change;
};

/// The server as a process: data directory, sockets, signals, service manager, and the order in
/// which it stops.
class daemon final : private surroundings {
  public:
    /// Opens the sockets of a server whose data directory is open already, and takes the signals,
    /// which the caller may have blocked until now. The failure says which part and what to do.
    [[nodiscard]] static result<std::unique_ptr<daemon>> open(const daemon_options& wanted,
                                                              storage::data_directory directory);

    ~daemon();
    daemon(const daemon&) = delete;
    daemon& operator=(const daemon&) = delete;

    /// The line that says who this is and where it listens.
    [[nodiscard]] std::string start_line() const;

    /// Asked on SIGHUP; nothing if the new configuration is not usable (said in the log by then).
    using reload_function = std::function<std::optional<reloadable_options>()>;

    /// Serves until SIGTERM or SIGINT, and returns when everybody has been told and is gone. From
    /// then on `leaving` watches what is left to do, the end of this object included.
    void run(reload_function reload, exit_watch& leaving);

  private:
    class door;

    daemon(const daemon_options& wanted, storage::data_directory directory);

    [[nodiscard]] wire::welcome welcome() const override;
    [[nodiscard]] wire::status_reply status() const override;
    [[nodiscard]] wire::pong position() const override;
    [[nodiscard]] std::size_t files_of_state() const override;
    void administer(connection_id who, const wire::admin& what) override;
    void server_calls(std::unique_ptr<net::byte_stream> stream) override;

    [[nodiscard]] result<void> listen(const net::host_port& at);
    [[nodiscard]] result<void> open_cluster(const cluster_options& wanted);
    [[nodiscard]] result<void> open_beacon(const std::optional<base::key256>& secret);
    [[nodiscard]] result<void> listen_for_administrators();
    void handle_signal(int number);
    void reload();
    void dump_state();
    void stop(std::string_view why);
    void say_goodbye();
    void wait_for_those_inside();
    void stopped();
    void feed_watchdog();
    void tell_status();
    [[nodiscard]] std::string status_line() const;
    /// What clients asked before the stop.
    [[nodiscard]] bool all_is_answered();
    void end_of_turn();

    storage::data_directory directory_;
    std::string address_; ///< HOST:PORT, where it listens
    reactor turns_;
    net::signal_watch signals_; ///< longer than what takes long to end
    client_registry clients_;
    std::unique_ptr<driver> driver_;
    change_hook hook_;
    std::unique_ptr<beacon> beacon_; ///< none: there is no secret to make keys of
    go_listener typed_;
    bool waits_for_go_;
    std::unique_ptr<door> network_door_;
    std::unique_ptr<door> administrators_door_;
    std::shared_ptr<tcp_listener> network_;
    std::shared_ptr<local_listener> administrators_;
    service_manager manager_;
    boost::asio::steady_timer stop_timer_;
    boost::asio::steady_timer status_timer_;
    boost::asio::steady_timer watchdog_timer_;
    std::optional<duration> watchdog_interval_;
    reload_function reload_;
    exit_watch* leaving_ = nullptr;
    /// What the line for the service manager is made of.
    struct told_status {
        bool in_cluster = false;
        replica::role_name role = replica::role_name::boot;
        almenara::epoch epoch;
        std::size_t clients = 0;
        friend bool operator==(const told_status&, const told_status&) = default;
    };
    std::optional<told_status> told_;
    bool status_timer_runs_ = false;
    bool stopping_ = false;
    bool has_stopped_ = false;      ///< and run() returns
    bool goodbyes_are_due_ = false; ///< once a turn has read all that has come
    bool is_handed_over_ = false;
    bool all_have_left_ = false; ///< behind the goodbyes
    instant stop_began_;
};

} // namespace almenara::server
