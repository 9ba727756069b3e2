#include "cluster/raw_device.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <variant>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace almenara::test {

namespace {

::sockaddr_in place(const std::string& host, std::uint16_t port) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
        throw std::logic_error(host + " is not an address");
    }
    return address;
}

template <class Id>
Id numbered(std::uint8_t number) {
    typename Id::rep bytes{};
    bytes.front() = std::byte{number};
    return Id{bytes};
}

} // namespace

raw_datagrams::raw_datagrams(const std::string& host, std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const ::sockaddr_in here = place(host, port);
    if (::bind(socket_.number(), reinterpret_cast<const ::sockaddr*>(&here), sizeof here) != 0) {
        throw std::runtime_error(std::string{"binding a UDP socket: "} + std::strerror(errno));
    }
}

void raw_datagrams::send(std::uint16_t to, base::byte_view bytes) {
    send("127.0.0.1", to, bytes);
}

void raw_datagrams::send(const std::string& host, std::uint16_t port, base::byte_view bytes) {
    const ::sockaddr_in there = place(host, port);
    const auto sent = ::sendto(socket_.number(), bytes.data(), bytes.size(), 0,
                               reinterpret_cast<const ::sockaddr*>(&there), sizeof there);
    // What the kernel does not take is lost, as any datagram may be.
    bytes_sent_ += sent > 0 ? static_cast<std::uint64_t>(sent) : 0;
}

std::optional<heard_datagram> raw_datagrams::hear(std::chrono::milliseconds within) {
    ::pollfd asked{.fd = socket_.number(), .events = POLLIN, .revents = 0};
    if (::poll(&asked, 1, static_cast<int>(within.count())) != 1) {
        return std::nullopt;
    }
    heard_datagram heard;
    heard.bytes.resize(2048);
    ::sockaddr_in from{};
    ::socklen_t size = sizeof from;
    const auto got = ::recvfrom(socket_.number(), heard.bytes.data(), heard.bytes.size(), 0,
                                reinterpret_cast<::sockaddr*>(&from), &size);
    if (got < 0) {
        return std::nullopt; // That nobody is there, of one sent before.
    }
    heard.bytes.resize(static_cast<std::size_t>(got));
    heard.from = ntohs(from.sin_port);
    return heard;
}

// -- Devices --------------------------------------------------------------------------------------

wire::login_ok raw_device::log_in_on(raw_client& client, std::optional<open_nonce> session) {
    client.say_hello("device");
    const auto told = client.expect<wire::welcome>();
    REQUIRE(told.cluster);
    cluster_ = wire::tag_of(*told.cluster);
    client.say(wire::login{.request = request_id{2},
                           .user = "ann",
                           .device_name = "device of a test",
                           .nonce = session,
                           .device = numbered<device_nonce>(number_)});
    auto known = client.expect_answer<wire::login_ok>();
    REQUIRE(known.beacon);
    pass_ = known.beacon;
    return known;
}

raw_client raw_device::log_in(std::uint16_t port) {
    raw_client client{port};
    log_in_on(client, std::nullopt);
    return client;
}

raw_client raw_device::attach(std::uint16_t port) {
    raw_client client{port};
    const auto known = log_in_on(client, numbered<open_nonce>(number_));
    REQUIRE(known.session);
    session_ = *known.session;
    client.say(wire::attach{.request = request_id{3},
                            .session = session_,
                            .next = sequence{1},
                            .first_unacked = sequence{1}});
    static_cast<void>(client.expect_answer<wire::attached>());
    return client;
}

base::byte_vector raw_device::registration(wire::beacon_cookie cookie) const {
    return wire::to_bytes(wire::u_register{.cluster = cluster_,
                                           .device = pass_->tag,
                                           .nonce = wire::datagram_nonce{number_},
                                           .cookie = cookie},
                          pass_->key);
}

/// Asks again, as a client does: datagrams get lost.
wire::beacon_cookie raw_device::ask_for_cookie(std::uint16_t port, wire::beacon_cookie shown) {
    constexpr std::chrono::milliseconds a_while{200};
    const auto deadline = test_clock::now() + patience;
    last_ = registration(shown);
    while (test_clock::now() < deadline) {
        socket_.send(port, last_);
        const auto heard = socket_.hear(a_while);
        const auto what = heard ? wire::parse_datagram(heard->bytes) : std::nullopt;
        const auto* const answer = what ? std::get_if<wire::u_reg_ack>(&*what) : nullptr;
        if (answer != nullptr && heard->from == port) {
            CHECK(wire::is_authentic(heard->bytes, pass_->key));
            CHECK(heard->bytes.size() <= last_.size());
            CHECK(answer->nonce == wire::datagram_nonce{number_});
            return answer->cookie;
        }
    }
    FAIL("the server at port " << port << " does not answer a registration");
    return {};
}

void raw_device::register_with(std::uint16_t port) {
    static_cast<void>(ask_for_cookie(port, ask_for_cookie(port, {})));
}

std::optional<raw_device::announcement> raw_device::hear_announcement(
    epoch behind, std::chrono::milliseconds within) {
    const auto deadline = test_clock::now() + within;
    while (test_clock::now() < deadline) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - test_clock::now());
        const auto heard = socket_.hear(left + std::chrono::milliseconds{1});
        const auto what = heard ? wire::parse_datagram(heard->bytes) : std::nullopt;
        const auto* const told = what ? std::get_if<wire::u_coord>(&*what) : nullptr;
        if (told != nullptr) {
            CHECK(wire::is_authentic(heard->bytes, pass_->key));
            CHECK(told->device == pass_->tag);
        }
        // Who registers while an office is young is told of that one.
        if (told != nullptr && told->epoch > behind) {
            return announcement{.from = heard->from, .what = *told};
        }
    }
    return std::nullopt;
}

} // namespace almenara::test
