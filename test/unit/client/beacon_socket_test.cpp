#include "client/beacon_socket.hpp"

#include "support/sanitized.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>

using namespace almenara;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::udp;

namespace {

base::byte_vector bytes_of(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

/// A client's socket and what it was told; servers are plain sockets.
class socket_stand final : private client::beacon_socket::owner {
  public:
    socket_stand() {
        client::beacon_socket::owner& me = *this;
        socket = std::make_shared<client::beacon_socket>(context.get_executor(), me);
    }
    ~socket_stand() { socket->close(); }

    [[nodiscard]] udp::socket server(const char* address) {
        return udp::socket{context, udp::endpoint{asio::ip::make_address(address), 0}};
    }
    static std::string address_of(const udp::socket& at) {
        const auto endpoint = at.local_endpoint();
        const bool is_v4 = endpoint.address().is_v4();
        const std::string host = endpoint.address().to_string();
        return (is_v4 ? host : "[" + host + "]") + ":" + std::to_string(endpoint.port());
    }
    /// The port that it came from.
    static std::uint16_t receive(udp::socket& at, std::string_view text) {
        std::array<char, 300> into{};
        udp::endpoint from;
        const std::size_t size = at.receive_from(asio::buffer(into), from);
        CHECK(std::string_view{into.data(), size} == text);
        return from.port();
    }
    void run_until(const std::function<bool()>& done) {
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (!done() && std::chrono::steady_clock::now() < until) {
            context.restart();
            context.run_for(10ms);
        }
        CHECK(done());
    }

    asio::io_context context;
    std::shared_ptr<client::beacon_socket> socket;
    std::vector<base::byte_vector> came;
    std::vector<std::error_code> deaf;
    std::size_t turns = 0;

  private:
    void datagram_came(base::byte_view bytes) override {
        came.emplace_back(bytes.begin(), bytes.end());
    }
    void datagrams_told() override { ++turns; }
    void no_datagrams(std::error_code why) override { deaf.push_back(why); }
};

} // namespace

TEST_CASE("C.2: a client's datagrams keep one port, and what comes back is told") {
    socket_stand here;
    udp::socket one = here.server("127.0.0.1");
    udp::socket two = here.server("127.0.0.2");
    here.socket->send({.addresses = {socket_stand::address_of(one)}, .bytes = bytes_of("a")});
    here.socket->send({.addresses = {socket_stand::address_of(two)}, .bytes = bytes_of("b")});
    const std::uint16_t port = socket_stand::receive(one, "a");
    CHECK(socket_stand::receive(two, "b") == port);
    const udp::endpoint back{asio::ip::make_address("127.0.0.1"), port};
    for (int i = 0; i < 100; ++i) {
        one.send_to(asio::buffer(std::string_view{"news"}), back);
    }
    here.run_until([&] { return here.came.size() == 100; });
    CHECK(here.came.back() == bytes_of("news"));
    CHECK(here.turns >= 4); // No more than 32 at once: others have their turn.
    here.socket->send({.addresses = {socket_stand::address_of(one)}, .bytes = bytes_of("c")});
    CHECK(socket_stand::receive(one, "c") == port);
}

TEST_CASE("C.2: datagrams go over IPv6 as well") {
    socket_stand here;
    boost::system::error_code why;
    udp::socket one{here.context};
    one.open(udp::v6(), why);
    one.bind(udp::endpoint{asio::ip::make_address("::1"), 0}, why);
    if (why) {
        WARN("there is no IPv6 here: " << why.message());
        return;
    }
    here.socket->send({.addresses = {socket_stand::address_of(one)}, .bytes = bytes_of("a")});
    socket_stand::receive(one, "a");
}

TEST_CASE("C.2: nothing is sent to anything but a loopback address, nor to a name") {
    socket_stand here;
    here.socket->send({.addresses = {"192.0.2.1:7400", "localhost:7400", "unix:/tmp/a.sock", "x:y"},
                       .bytes = bytes_of("a")});
    // A socket is made when there is somebody to send to; here nobody is.
    here.context.run();
    CHECK(here.deaf.empty());
}

TEST_CASE("C.2: nobody who listens, and what is too long to be true, is no news") {
    socket_stand here;
    std::string gone;
    {
        const udp::socket closed = here.server("127.0.0.1");
        gone = socket_stand::address_of(closed);
    }
    udp::socket one = here.server("127.0.0.1");
    for (int i = 0; i < 3; ++i) {
        here.socket->send({.addresses = {gone}, .bytes = bytes_of("a")});
    }
    here.socket->send({.addresses = {socket_stand::address_of(one)}, .bytes = bytes_of("a")});
    const udp::endpoint back{asio::ip::make_address("127.0.0.1"), socket_stand::receive(one, "a")};
    one.send_to(asio::buffer(std::string(wire::largest_datagram + 1, 'x')), back);
    one.send_to(asio::buffer(std::string(60'000, 'x')), back);
    one.send_to(asio::buffer(std::string(wire::largest_datagram, 'y')), back);
    here.run_until([&] { return !here.came.empty(); });
    CHECK(here.came.size() == 1);
    CHECK(here.deaf.empty());
}

namespace {

/// As long as it lives this process can open nothing.
class no_descriptors {
  public:
    no_descriptors() {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        ::rlimit none = before_;
        none.rlim_cur = 0;
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  private:
    ::rlimit before_{};
};

} // namespace

TEST_CASE("C.2: without a socket a client is told so once, and goes on") {
    if (test::is_sanitized) {
        WARN("skipped: without descriptors the sanitizer takes good objects for bad ones");
        return;
    }
    socket_stand here;
    const udp::socket first = here.server("127.0.0.1"); // The reactor has what it needs by then.
    std::optional<no_descriptors> none{std::in_place};
    for (int i = 0; i < 3; ++i) {
        here.socket->send({.addresses = {"127.0.0.1:7400", "[::1]:7400"}, .bytes = bytes_of("a")});
    }
    none.reset();
    REQUIRE(here.deaf.size() == 1);
    CHECK(here.deaf[0] == std::errc::too_many_files_open);
}

TEST_CASE("C.2: a closed socket tells nothing and keeps nobody waiting") {
    socket_stand here;
    udp::socket one = here.server("127.0.0.1");
    here.socket->send({.addresses = {socket_stand::address_of(one)}, .bytes = bytes_of("a")});
    const udp::endpoint back{asio::ip::make_address("127.0.0.1"), socket_stand::receive(one, "a")};
    one.send_to(asio::buffer(std::string_view{"news"}), back);
    here.socket->close();
    here.socket->send({.addresses = {socket_stand::address_of(one)}, .bytes = bytes_of("b")});
    here.context.run();
    CHECK(here.came.empty());
}
