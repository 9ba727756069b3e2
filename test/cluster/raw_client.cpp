#include "cluster/raw_client.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace almenara::test {

namespace {

sockaddr_in loopback(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
        throw std::logic_error(host + " is not an address");
    }
    return address;
}

[[noreturn]] void give_up(std::string_view doing) {
    throw std::runtime_error(std::string{doing} + ": " + std::strerror(errno));
}

bool is_ready(int descriptor, short events, std::chrono::milliseconds within) {
    pollfd asked{.fd = descriptor, .events = events, .revents = 0};
    return ::poll(&asked, 1, static_cast<int>(within.count())) == 1;
}

} // namespace

void handle::close() {
    if (number_ >= 0) {
        ::close(std::exchange(number_, -1));
    }
}

handle begin_connecting(std::uint16_t port, const std::string& from) {
    handle socket{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (socket.number() < 0) {
        give_up("making a socket");
    }
    // The port of this end is chosen by connect(), which knows more free ones than bind() does.
    const int on = 1;
    ::setsockopt(socket.number(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    // What is said leaves at once, however little it is.
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const sockaddr_in here = loopback(from, 0);
    if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&here), sizeof(here)) != 0) {
        give_up("binding to " + from);
    }
    const sockaddr_in there = loopback("127.0.0.1", port);
    if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&there), sizeof(there)) != 0 &&
        errno != EINPROGRESS) {
        give_up("connecting");
    }
    return socket;
}

bool is_connected(const handle& socket) {
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    return ::getpeername(socket.number(), reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

bool can_connect(std::uint16_t port) {
    const handle socket = begin_connecting(port);
    return is_ready(socket.number(), POLLOUT, patience) && is_connected(socket);
}

raw_client::raw_client(std::uint16_t port, const std::string& from)
    : socket_(begin_connecting(port, from)) {
    wait_for(POLLOUT, "the connection stands");
    if (!is_connected(socket_)) {
        FAIL("nobody listens at port " << port);
    }
}

void raw_client::send(base::byte_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            wait_for(POLLOUT, "the server reads");
        } else {
            give_up("sending to the server");
        }
    }
}

void raw_client::send(std::string_view text) {
    send(std::as_bytes(std::span{text}));
}

void raw_client::say_hello(std::string_view name) {
    say(wire::c_hello{.request = request_id{1}, .client_name = std::string{name}});
}

void raw_client::enter(std::string_view name) {
    say_hello(name);
    static_cast<void>(expect<wire::welcome>());
}

std::size_t raw_client::send_some(base::byte_view bytes) {
    constexpr std::chrono::milliseconds a_while{500};
    if (!is_ready(socket_.number(), POLLOUT, a_while)) {
        return 0;
    }
    const ssize_t sent = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

client_message raw_client::expect_any() {
    while (heard_.empty()) {
        if (!receive()) {
            FAIL("the server ended the connection without a word");
        }
    }
    client_message first = std::move(heard_.front());
    heard_.pop_front();
    return first;
}

void raw_client::expect_end() {
    while (receive()) {
    }
    if (!heard_.empty()) {
        FAIL("the server said " << name_of(heard_.front()) << " before the end");
    }
}

bool raw_client::has_news() const {
    return !heard_.empty() || is_ready(socket_.number(), POLLIN, std::chrono::milliseconds{0});
}

void raw_client::end_sending() {
    ::shutdown(socket_.number(), SHUT_WR);
}

std::string raw_client::name_of(const client_message& message) {
    return std::visit(
        []<class Message>(const Message&) { return std::string{wire::name_of<Message>()}; },
        message);
}

bool raw_client::receive() {
    std::array<std::byte, 4096> chunk{};
    for (;;) {
        const ssize_t got = ::recv(socket_.number(), chunk.data(), chunk.size(), 0);
        if (got == 0) {
            return false;
        }
        if (got > 0) {
            const auto bytes = std::span{chunk}.first(static_cast<std::size_t>(got));
            for (client_message& message : ear_.hear(bytes)) {
                heard_.push_back(std::move(message));
            }
            return true;
        }
        if (errno != EAGAIN) {
            give_up("reading from the server");
        }
        wait_for(POLLIN, "the server says something");
    }
}

void raw_client::wait_for(short events, std::string_view what) const {
    if (!is_ready(socket_.number(), events, patience)) {
        FAIL("within " << patience.count() << " s it did not happen that " << what);
    }
}

} // namespace almenara::test
