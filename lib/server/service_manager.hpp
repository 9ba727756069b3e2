#pragma once

#include "base/time.hpp"

#include <deque>
#include <optional>
#include <string>

namespace almenara::server {

/// What a systemd service says to systemd. Without a service manager all of it does nothing.
///
/// Nothing here waits: a service manager that does not read must not stop the reactor. What it has
/// no room for is kept and said by retry().
class service_manager {
  public:
    service_manager();
    ~service_manager();
    service_manager(const service_manager&) = delete;
    service_manager& operator=(const service_manager&) = delete;

    void ready(const std::string& status);
    void reloading();
    void stopping();

    /// "I live": said from the reactor's turn, so that a stuck reactor falls silent.
    void watchdog();

    /// Says the status if it is a new one, and at most once a second. True: there is more to say
    /// later, by calling it again after `status_spacing`.
    [[nodiscard]] bool status(const std::string& status, instant now);

    static constexpr duration status_spacing = std::chrono::seconds{1};

    /// How often watchdog() is to be called: half of what systemd waits; nothing if it does not
    /// watch.
    [[nodiscard]] static std::optional<duration> watchdog_interval();

  private:
    void tell(std::string lines);
    [[nodiscard]] bool send_unsent();

    int socket_ = -1;
    std::string address_; ///< of NOTIFY_SOCKET; its first byte is zero for an abstract one
    std::deque<std::string> unsent_;
    std::string told_status_;
    std::optional<instant> told_status_at_;
};

} // namespace almenara::server
