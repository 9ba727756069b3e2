#include "cluster/reserved_port.hpp"

#include <cerrno>
#include <random>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace almenara::test {

namespace {

/// Below those that Linux gives to who asks for any (ip_local_port_range).
constexpr std::uint16_t first_port = 10'000;
constexpr std::uint16_t last_port = 32'000;

bool bind_to(int socket, std::uint16_t port) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return ::bind(socket, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0;
}

bool is_free_for_datagrams(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_free = bind_to(socket, port);
    ::close(socket);
    return is_free;
}

} // namespace

reserved_port::reserved_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::random_device random;
    std::uniform_int_distribution<std::uint16_t> any{first_port, last_port};
    constexpr int most_tries = 1000;
    for (int tries = 0; number_ == 0 && tries < most_tries; ++tries) {
        const std::uint16_t port = any(random);
        // Without SO_REUSEADDR: no other test has it either.
        if (is_free_for_datagrams(port) && bind_to(socket_, port)) {
            number_ = port;
        }
    }
    const int yes = 1;
    if (number_ == 0 || ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) {
        throw std::system_error{errno, std::system_category(), "reserving a port"};
    }
}

reserved_port::~reserved_port() {
    ::close(socket_);
}

} // namespace almenara::test
