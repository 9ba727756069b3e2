#include "server/service_manager.hpp"

#include "net/clock.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace almenara::server {

namespace {

/// A manager that has not read so many does not listen; the oldest are of no use to it any more.
constexpr std::size_t most_unsent = 16;

} // namespace

// libsystemd's sd_notify() waits until the manager has room, so the datagrams are sent here.
service_manager::service_manager() {
    const char* const where = std::getenv("NOTIFY_SOCKET");
    if (where == nullptr || (where[0] != '/' && where[0] != '@')) {
        return;
    }
    address_ = where;
    if (address_.size() >= sizeof(::sockaddr_un::sun_path)) {
        return;
    }
    if (address_[0] == '@') {
        address_[0] = '\0';
    }
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

service_manager::~service_manager() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
}

void service_manager::ready(const std::string& status) {
    told_status_ = status;
    tell(fmt::format("READY=1\nSTATUS={}", status));
}

void service_manager::reloading() {
    const auto since_boot =
        std::chrono::duration_cast<std::chrono::microseconds>(net::monotonic_now().since_origin());
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", since_boot.count()));
}

void service_manager::stopping() {
    tell("STOPPING=1\nSTATUS=stopping");
}

void service_manager::watchdog() {
    tell("WATCHDOG=1");
}

bool service_manager::status(const std::string& status, instant now) {
    if (socket_ < 0) {
        return false;
    }
    const bool all_sent = send_unsent();
    if (status == told_status_) {
        return !all_sent;
    }
    if (!all_sent || (told_status_at_ && now - *told_status_at_ < status_spacing)) {
        return true;
    }
    told_status_ = status;
    told_status_at_ = now;
    tell(fmt::format("STATUS={}", status));
    return !unsent_.empty();
}

std::optional<duration> service_manager::watchdog_interval() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) {
        return std::nullopt;
    }
    return std::chrono::microseconds{microseconds / 2};
}

void service_manager::tell(std::string lines) {
    if (socket_ < 0) {
        return;
    }
    if (unsent_.size() == most_unsent) {
        unsent_.pop_front();
    }
    unsent_.push_back(std::move(lines));
    static_cast<void>(send_unsent());
}

bool service_manager::send_unsent() {
    ::sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    const auto size = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + address_.size());
    while (!unsent_.empty()) {
        const std::string& lines = unsent_.front();
        const ssize_t sent = ::sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL,
                                      reinterpret_cast<const ::sockaddr*>(&to), size);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return false;
        }
        // Any other failure: nobody is there to be told.
        unsent_.pop_front();
    }
    return true;
}

} // namespace almenara::server
