#include "cluster/notify_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace almenara::test {

namespace {

notification understood(std::string_view text) {
    notification all;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            throw std::runtime_error("a notification has a line without '=': " + std::string{line});
        }
        all.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return all;
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        throw std::runtime_error(path + " is too long for a socket");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

} // namespace

notify_socket::notify_socket()
    : path_(home_ / "notify"), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = address_of(path_);
    if (::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
        0) {
        throw std::runtime_error("cannot listen at " + path_);
    }
}

bool notify_socket::is_full() const {
    constexpr std::string_view probe = "PROBE=1";
    const handle sender{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const sockaddr_un address = address_of(path_);
    return ::sendto(sender.number(), probe.data(), probe.size(), 0,
                    reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 &&
           errno == EAGAIN;
}

std::optional<notification> notify_socket::next(std::chrono::milliseconds within) {
    pollfd asked{.fd = socket_.number(), .events = POLLIN, .revents = 0};
    if (::poll(&asked, 1, static_cast<int>(within.count())) != 1) {
        return std::nullopt;
    }
    std::array<char, 4096> text{};
    const ssize_t got = ::recv(socket_.number(), text.data(), text.size(), 0);
    if (got < 0) {
        throw std::runtime_error("cannot read a notification");
    }
    return understood({text.data(), static_cast<std::size_t>(got)});
}

notification notify_socket::wait_for(const std::string& name, const std::string& value) {
    const auto deadline = test_clock::now() + patience;
    while (test_clock::now() < deadline) {
        auto one = next(patience);
        if (one && one->count(name) > 0 && one->at(name) == value) {
            return *std::move(one);
        }
    }
    FAIL("within " << patience.count() << " s nobody said " << name << "=" << value);
    return {};
}

void notify_socket::forget() {
    while (next(std::chrono::milliseconds{0})) {
    }
}

} // namespace almenara::test
