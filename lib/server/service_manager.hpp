#pragma once

#include "base/time.hpp"

#include <optional>
#include <string>

/// What a systemd service says to systemd. Without a service manager all of it does nothing.
namespace almenara::server::service_manager {

void ready(const std::string& status);
void status(const std::string& status);
void reloading();
void stopping();

/// "I live": said from the reactor's turn, so that a stuck reactor falls silent.
void watchdog();

/// How often watchdog() is to be called: half of what systemd waits; nothing if it does not watch.
[[nodiscard]] std::optional<duration> watchdog_interval();

} // namespace almenara::server::service_manager
