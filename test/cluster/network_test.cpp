#include "cluster/network.hpp"

#include "support/wait.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// S24: machines of a test, and what may happen between them.
namespace almenara::test {

namespace {

constexpr machine one{1};
constexpr machine two{2};
constexpr machine three{3};

::sockaddr_in at(const std::string& host) {
    constexpr std::uint16_t port = 7400;
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    return address;
}

const ::sockaddr* any(const ::sockaddr_in& address) {
    return reinterpret_cast<const ::sockaddr*>(&address);
}

/// A socket belongs to the machine on which it was made, whoever uses it.
class plug {
  public:
    plug(const network& wires, machine where, int kind) : address_(at(wires.address(where))) {
        std::thread{[&] {
            enter_space(wires.space(where));
            socket_ = ::socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        }}.join();
    }
    ~plug() { ::close(socket_); }
    plug(const plug&) = delete;
    plug& operator=(const plug&) = delete;

    void bind() const {
        if (::bind(socket_, any(address_), sizeof address_) != 0) {
            throw std::runtime_error("a machine has not the address that it should have");
        }
    }
    void listen() const {
        bind();
        ::listen(socket_, 1);
    }
    void send(const plug& to) const {
        ::sendto(socket_, "x", 1, 0, any(to.address_), sizeof to.address_);
    }
    [[nodiscard]] bool receives() const {
        char letter = 0;
        return ::recv(socket_, &letter, 1, 0) == 1;
    }
    void begin_to_connect(const plug& to) const {
        ::connect(socket_, any(to.address_), sizeof to.address_);
    }
    [[nodiscard]] bool is_connected() const {
        ::sockaddr_in peer{};
        ::socklen_t size = sizeof peer;
        return ::getpeername(socket_, reinterpret_cast<::sockaddr*>(&peer), &size) == 0;
    }

  private:
    ::sockaddr_in address_;
    int socket_ = -1;
};

bool datagrams_arrive(const plug& from, const plug& to) {
    from.send(to);
    return comes_true([&] { return to.receives(); }, patience);
}

/// Not that it does not come, for who could wait for that: that it is dropped.
bool datagrams_are_dropped(const network& wires, const plug& from, const plug& to) {
    const std::uint64_t before = wires.dropped();
    from.send(to);
    return comes_true([&] { return wires.dropped() > before; }, patience) && !to.receives();
}

bool connects(const network& wires, machine from, machine to) {
    const plug server{wires, to, SOCK_STREAM};
    server.listen();
    const plug client{wires, from, SOCK_STREAM};
    client.begin_to_connect(server);
    return comes_true([&] { return client.is_connected(); }, patience);
}

bool connections_are_dropped(const network& wires, machine from, machine to) {
    const plug server{wires, to, SOCK_STREAM};
    server.listen();
    const plug client{wires, from, SOCK_STREAM};
    const std::uint64_t before = wires.dropped();
    client.begin_to_connect(server);
    return comes_true([&] { return wires.dropped() > before; }, patience) && !client.is_connected();
}

/// Three machines, each with a socket for datagrams. They have talked already.
struct talkers {
    talkers() {
        for (const plug* const each : {&a, &b, &c}) {
            each->bind();
        }
        for (const auto& [from, to] :
             {std::pair{&a, &b}, std::pair{&b, &a}, std::pair{&a, &c}, std::pair{&c, &a}}) {
            REQUIRE(datagrams_arrive(*from, *to));
        }
    }

    network wires{3};
    plug a{wires, one, SOCK_DGRAM};
    plug b{wires, two, SOCK_DGRAM};
    plug c{wires, three, SOCK_DGRAM};
};

} // namespace

TEST_CASE("S24: machines of a test reach each other and nobody else") {
    if (network::is_impossible()) {
        return;
    }
    const talkers t;
    CHECK(connects(t.wires, one, two));
    CHECK(connects(t.wires, three, one));
    CHECK(t.wires.dropped() == 0);
    CHECK(t.wires.dialled(one, two) == 1);
    CHECK(t.wires.dialled(two, one) == 0);
    CHECK(t.wires.address(one) == "127.77.0.1");
    // The test's own thread is a machine too.
    const plug server{t.wires, two, SOCK_STREAM};
    server.listen();
    const plug outside{t.wires, machine{0}, SOCK_STREAM};
    outside.begin_to_connect(server);
    CHECK(comes_true([&] { return outside.is_connected(); }, patience));
}

TEST_CASE("S24: a cut is in both directions, heals, and the others see nothing of it") {
    if (network::is_impossible()) {
        return;
    }
    talkers t;
    t.wires.cut({one}, {two, three});
    CHECK(datagrams_are_dropped(t.wires, t.a, t.b));
    CHECK(datagrams_are_dropped(t.wires, t.b, t.a));
    CHECK(datagrams_are_dropped(t.wires, t.c, t.a));
    CHECK(connections_are_dropped(t.wires, one, three));
    CHECK(datagrams_arrive(t.b, t.c));
    CHECK(connects(t.wires, two, three));
    t.wires.heal();
    CHECK(t.wires.dropped() == 0);
    CHECK(datagrams_arrive(t.a, t.b));
    CHECK(datagrams_arrive(t.b, t.a));
}

TEST_CASE("S24: a one-way cut leaves the other way") {
    if (network::is_impossible()) {
        return;
    }
    talkers t;
    t.wires.drop({one}, {two});
    CHECK(datagrams_are_dropped(t.wires, t.a, t.b));
    CHECK(datagrams_arrive(t.b, t.a));
    CHECK(datagrams_arrive(t.a, t.c));
}

TEST_CASE("S24: UDP alone or TCP alone is dropped, between those that are named") {
    if (network::is_impossible()) {
        return;
    }
    talkers t;
    SECTION("UDP") {
        t.wires.cut({one}, {two}, traffic::udp);
        CHECK(datagrams_are_dropped(t.wires, t.a, t.b));
        CHECK(connects(t.wires, one, two));
        CHECK(datagrams_arrive(t.a, t.c));
    }
    SECTION("TCP") {
        t.wires.cut({one}, {two}, traffic::tcp);
        CHECK(connections_are_dropped(t.wires, one, two));
        CHECK(connections_are_dropped(t.wires, two, one));
        CHECK(datagrams_arrive(t.a, t.b));
        CHECK(connects(t.wires, three, one));
    }
}

TEST_CASE("S24: a process runs on the machine that it is started on, and sees other files") {
    if (network::is_impossible()) {
        return;
    }
    const network wires{1};
    temporary_directory home;
    write_file(home / "hosts", "127.77.0.1 primary.test\n");
    const finished told = run({.words = {"/bin/cat", "/etc/hosts", "/proc/self/net/fib_trie"},
                               .network = wires.space(one),
                               .instead_of = {{"/etc/hosts", home / "hosts"}}});
    CAPTURE(told.out, told.err);
    CHECK(told.status == good_exit);
    CHECK(told.out.starts_with("127.77.0.1 primary.test\n"));
    CHECK(told.out.find("|-- 127.77.0.1\n") != std::string::npos);
    CHECK(content_of("/etc/hosts").find("primary.test") == std::string::npos);
}

} // namespace almenara::test
