#include "server/service_manager.hpp"

#include "net/clock.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace almenara::server::service_manager {

namespace {

// systemd's answer is not waited for: a lost notification shows in systemd, not here.
void tell(const std::string& lines) {
    static_cast<void>(::sd_notify(0, lines.c_str()));
}

} // namespace

void ready(const std::string& status) {
    tell(fmt::format("READY=1\nSTATUS={}", status));
}

void status(const std::string& status) {
    tell(fmt::format("STATUS={}", status));
}

void reloading() {
    const auto since_boot =
        std::chrono::duration_cast<std::chrono::microseconds>(net::monotonic_now().since_origin());
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", since_boot.count()));
}

void stopping() {
    tell("STOPPING=1\nSTATUS=stopping");
}

void watchdog() {
    tell("WATCHDOG=1");
}

std::optional<duration> watchdog_interval() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) {
        return std::nullopt;
    }
    return std::chrono::microseconds{microseconds / 2};
}

} // namespace almenara::server::service_manager
