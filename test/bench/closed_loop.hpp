#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/// Clients that each have one request under way at a server on this machine, on one thread, for
/// programs that measure others than Almenara.
namespace almenara::bench {

inline void need(bool good, const char* doing) {
    if (!good) {
        std::perror(doing);
        std::_Exit(1);
    }
}

inline void send_all(int socket, const void* data, std::size_t size) {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
        const ::ssize_t sent = ::send(socket, at, size, MSG_NOSIGNAL);
        need(sent > 0, "bench: sending");
        at += sent;
        size -= static_cast<std::size_t>(sent);
    }
}

inline bool receive_all(int socket, void* data, std::size_t size) {
    char* at = static_cast<char*>(data);
    while (size > 0) {
        const ::ssize_t count = ::read(socket, at, size);
        if (count <= 0) {
            return false;
        }
        at += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

inline void do_not_delay(int socket) {
    const int on = 1;
    need(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "bench: nodelay");
}

inline int connect_to(std::uint16_t port) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = ::htons(port);
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    need(::connect(socket, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0,
         "bench: connecting");
    do_not_delay(socket);
    return socket;
}

struct closed_loop {
    std::uint16_t port = 0;
    std::size_t clients = 1;
    std::chrono::seconds length{1};
    std::string request;
    std::size_t answer_size = 1; ///< of every answer
};

/// How long each request took.
inline std::vector<std::chrono::microseconds> play_clients(const closed_loop& how) {
    using clock_type = std::chrono::steady_clock;
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<int> sockets;
    std::vector<clock_type::time_point> begun(how.clients);
    for (std::size_t i = 0; i < how.clients; ++i) {
        sockets.push_back(connect_to(how.port));
        ::epoll_event interest{.events = EPOLLIN, .data = {.u64 = i}};
        need(::epoll_ctl(poll, EPOLL_CTL_ADD, sockets.back(), &interest) == 0, "bench: watching");
    }
    const auto begin = [&](std::size_t number, clock_type::time_point now) {
        begun[number] = now;
        send_all(sockets[number], how.request.data(), how.request.size());
    };
    const auto end = clock_type::now() + how.length;
    for (std::size_t i = 0; i < how.clients; ++i) {
        begin(i, clock_type::now());
    }
    std::vector<std::chrono::microseconds> took;
    std::string answer(how.answer_size, ' ');
    std::array<::epoll_event, 1024> events{};
    while (clock_type::now() < end) {
        const int count = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), 100);
        for (int i = 0; i < count; ++i) {
            const std::size_t number = events[static_cast<std::size_t>(i)].data.u64;
            need(receive_all(sockets[number], answer.data(), answer.size()), "bench: an answer");
            const auto now = clock_type::now();
            took.push_back(
                std::chrono::duration_cast<std::chrono::microseconds>(now - begun[number]));
            begin(number, now);
        }
    }
    return took;
}

struct summary {
    double per_second = 0;
    std::int64_t p50_us = 0;
    std::int64_t p99_us = 0;
};

inline summary summed_up(std::vector<std::chrono::microseconds> took, std::chrono::seconds length) {
    need(!took.empty(), "bench: nothing was answered");
    std::sort(took.begin(), took.end());
    const auto at = [&](std::size_t of_thousand) {
        return took[std::min(took.size() * of_thousand / 1000, took.size() - 1)].count();
    };
    return {.per_second = static_cast<double>(took.size()) / static_cast<double>(length.count()),
            .p50_us = at(500),
            .p99_us = at(990)};
}

inline std::string json_members(const summary& what) {
    return fmt::format("\"per_second\":{:.0f},\"p50_us\":{},\"p99_us\":{}", what.per_second,
                       what.p50_us, what.p99_us);
}

} // namespace almenara::bench
