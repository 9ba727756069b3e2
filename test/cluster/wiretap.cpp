#include "cluster/wiretap.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace almenara::test {

namespace {

/// What else is on the wire would fill the socket: UDP over IPv4, by its protocol and version.
std::array<::sock_filter, 6> only_udp() {
    constexpr std::uint32_t all = 0xffff;
    return {{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
             BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
             BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x45, 0, 1),
             BPF_STMT(BPF_RET | BPF_K, all), BPF_STMT(BPF_RET | BPF_K, 0)}};
}

/// A socket belongs to the machine on which it was made, whoever uses it.
int open_tap() {
    const int made = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    auto filter = only_udp();
    const ::sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                               .filter = filter.data()};
    ::sockaddr_ll wire{};
    wire.sll_family = AF_PACKET;
    wire.sll_protocol = htons(ETH_P_ALL);
    wire.sll_ifindex = static_cast<int>(::if_nametoindex("wire"));
    const bool listens =
        made >= 0 &&
        ::setsockopt(made, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 &&
        ::bind(made, reinterpret_cast<const ::sockaddr*>(&wire), sizeof wire) == 0;
    return listens ? made : -1;
}

std::uint16_t number_at(base::byte_view bytes, std::size_t where) {
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[where]) << 8U |
                                      std::to_integer<unsigned>(bytes[where + 1]));
}

/// Behind an IP header without options and a UDP header.
std::optional<tapped_datagram> datagram_in(base::byte_view packet, bool came) {
    constexpr std::size_t ip_header = 20;
    constexpr std::size_t udp_header = 8;
    if (packet.size() < ip_header + udp_header) {
        return std::nullopt;
    }
    const base::byte_view content = packet.subspan(ip_header + udp_header);
    return tapped_datagram{.came = came,
                           .from = number_at(packet, ip_header),
                           .to = number_at(packet, ip_header + 2),
                           .bytes = {content.begin(), content.end()}};
}

} // namespace

wiretap::wiretap(const network& wires, machine where) {
    int made = -1;
    int trouble = 0;
    std::thread{[&] {
        enter_space(wires.space(where));
        made = open_tap();
        trouble = errno;
    }}.join();
    if (made < 0) {
        throw std::system_error{trouble, std::system_category(), "tapping a wire"};
    }
    socket_ = handle{made};
}

std::vector<tapped_datagram> wiretap::heard() const {
    std::vector<tapped_datagram> all;
    std::array<std::byte, 2048> packet{};
    while (true) {
        ::sockaddr_ll about{};
        ::socklen_t size = sizeof about;
        const auto got = ::recvfrom(socket_.number(), packet.data(), packet.size(), 0,
                                    reinterpret_cast<::sockaddr*>(&about), &size);
        if (got < 0) {
            return all;
        }
        const auto what = datagram_in(base::byte_view{packet}.first(static_cast<std::size_t>(got)),
                                      about.sll_pkttype != PACKET_OUTGOING);
        if (what) {
            all.push_back(*what);
        }
    }
}

} // namespace almenara::test
