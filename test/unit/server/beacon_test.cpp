#include "server/beacon.hpp"

#include "net/datagram_address.hpp"
#include "unit/server/beacon_stand.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <catch2/catch_all.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// C.2: the beacon with real sockets on this machine; its decisions are in beacon_desk_test.cpp.
namespace almenara::server {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using test::beacon_stand;

constexpr auto patience = std::chrono::seconds{20};
constexpr device_tag laptop{10};
const base::key256 secret = test::key_of(5);

/// Not every machine has.
bool has_ipv6() {
    asio::io_context context;
    udp::socket probe{context};
    boost::system::error_code failure;
    probe.open(udp::v6(), failure);
    if (!failure) {
        probe.bind({asio::ip::address_v6::loopback(), 0}, failure);
    }
    return !failure;
}

class plain_host final : public beacon_host {
  public:
    [[nodiscard]] const std::optional<cluster_id>& cluster() const override { return of; }
    [[nodiscard]] std::optional<ruler> last_ruler() const override { return rules; }
    [[nodiscard]] std::vector<std::string> addresses_of(server_id) const override {
        return {"tower.example:7400", "127.0.0.1:7401", "[::1]:7402"};
    }
    [[nodiscard]] log_index config_index() const override { return log_index{12}; }
    [[nodiscard]] std::vector<attendance::change> take_attendance() override {
        return std::exchange(changes, {});
    }
    void tell_backups(const wire::presence& what) override {
        told_backups.insert(told_backups.end(), what.devices.begin(), what.devices.end());
    }
    void hears_presence(std::function<void(const wire::presence&)> told) override {
        presence = std::move(told);
    }

    std::optional<cluster_id> of = beacon_stand::own_cluster;
    std::optional<ruler> rules;
    std::vector<attendance::change> changes;
    std::vector<wire::device_presence> told_backups;
    std::function<void(const wire::presence&)> presence;
};

/// A server's beacon and one client's socket, in one thread.
class stand {
  public:
    explicit stand(const asio::ip::address& at = asio::ip::address_v4::loopback())
        : client_(turns_.context(), udp::endpoint{at, 0}) {
        // The number of one that was just given back is free.
        udp::socket probe{turns_.context(), udp::endpoint{at, 0}};
        server_ = probe.local_endpoint();
        probe.close();
        REQUIRE(lights.open({server_.address(), server_.port()}));
        client_.non_blocking(true);
        lights.begin();
    }

    void says(base::byte_view bytes) {
        client_.send_to(asio::buffer(bytes.data(), bytes.size()), server_);
    }
    [[nodiscard]] std::optional<base::byte_vector> hears() {
        base::byte_vector bytes(2048);
        boost::system::error_code failure;
        bytes.resize(client_.receive(asio::buffer(bytes), 0, failure));
        return failure ? std::nullopt : std::optional{bytes};
    }

    /// Turns until the condition holds, or patience ends.
    [[nodiscard]] bool comes_true(std::function<bool()> condition) {
        bool is_true = false;
        asio::steady_timer again{turns_.context()};
        const auto deadline = std::chrono::steady_clock::now() + patience;
        std::function<void()> look = [&] {
            is_true = condition();
            if (is_true || std::chrono::steady_clock::now() >= deadline) {
                return lights.close(); // Nothing is left to wait for.
            }
            again.expires_after(std::chrono::milliseconds{1});
            again.async_wait([&look](const boost::system::error_code&) { look(); });
        };
        turns_.at_end_of_turn([this] {
            ++turns;
            lights.end_of_turn();
        });
        look();
        turns_.run();
        return is_true;
    }

    /// With a cookie, or for one.
    void registers(wire::beacon_cookie cookie = {}) {
        says(wire::to_bytes(beacon_stand::registration(laptop, cookie), key));
    }
    /// What the next answer is; the cookie of one, for the next step.
    template <class Kind>
    [[nodiscard]] std::optional<Kind> next() {
        const auto bytes = hears();
        const auto what = bytes ? wire::parse_datagram(*bytes) : std::nullopt;
        const auto* const wanted = what ? std::get_if<Kind>(&*what) : nullptr;
        return wanted != nullptr && wire::is_authentic(*bytes, key) ? std::optional{*wanted}
                                                                    : std::nullopt;
    }

    const base::key256 key = wire::beacon_key(wire::announce_key(secret), laptop);
    plain_host host;
    unsigned turns = 0;

  private:
    reactor turns_;
    udp::socket client_;
    udp::endpoint server_;

  public:
    beacon lights{turns_, host, secret};
};

} // namespace

TEST_CASE("C.2: over a socket a device registers, is told who rules, and the backups where it is") {
    const bool is_v6 = GENERATE(false, true);
    if (is_v6 && !has_ipv6()) {
        return;
    }
    const auto at = is_v6 ? asio::ip::address{asio::ip::address_v6::loopback()}
                          : asio::ip::address{asio::ip::address_v4::loopback()};
    stand s{at};
    s.registers();
    int answers = 0;
    std::optional<wire::u_coord> told;
    REQUIRE(s.comes_true([&] {
        if (answers < 2) {
            if (const auto answer = s.next<wire::u_reg_ack>()) {
                ++answers;
                s.registers(answer->cookie);
                s.host.rules = ruler{.epoch = epoch{7}, .id = server_id{1}, .is_this_server = true};
            }
            return false;
        }
        told = told ? told : s.next<wire::u_coord>();
        if (told && s.host.told_backups.empty()) {
            s.host.changes = {{.device = laptop, .is_here = true}};
        }
        return told.has_value() && !s.host.told_backups.empty();
    }));
    CHECK(told->epoch == epoch{7});
    CHECK(told->primary == server_id{1});
    CHECK(told->config_index == log_index{12});
    // Those that need nobody to look them up.
    CHECK(told->addresses == net::literal_addresses({"127.0.0.1:7401", "[::1]:7402"}));
    CHECK(told->addresses.size() == 2);
    CHECK(s.host.told_backups.front().device == laptop);
    CHECK(s.host.told_backups.front().address.is_v6 == is_v6);
}

TEST_CASE("C.2: what the primary says by PRESENCE is known at once, and not after the end") {
    stand s;
    REQUIRE(s.host.presence);
    s.host.presence({.devices = {{.device = laptop,
                                  .address = test::place(7777),
                                  .state = wire::presence_state::attached}}});
    CHECK(s.lights.in_words().starts_with("1 devices; "));
    s.lights.close();
    CHECK_FALSE(s.host.presence);
}

TEST_CASE("C.2: of a flood so much is read in a turn and no more") {
    stand s;
    constexpr unsigned all = 150; // The kernel keeps some more.
    for (unsigned i = 0; i < all; ++i) {
        s.says(base::byte_vector(wire::largest_datagram + 1 + i));
    }
    REQUIRE(s.comes_true(
        [&s] { return s.lights.in_words().find(" 150 nonsense") != std::string::npos; }));
    CHECK(s.turns >= 3);
    CHECK_FALSE(s.hears());
}

TEST_CASE("C.2: a UDP port that is taken is named, and what to do") {
    reactor turns;
    plain_host host;
    beacon lights{turns, host, secret};
    udp::socket other{turns.context(), udp::endpoint{asio::ip::address_v4::loopback(), 0}};
    const tcp::endpoint at{other.local_endpoint().address(), other.local_endpoint().port()};
    const auto refused = lights.open(at);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().find("opening the UDP port 127.0.0.1:") != std::string::npos);
    CHECK(refused.error().message().find("--listen") != std::string::npos);
}

TEST_CASE("C.2: addresses of datagrams and of sockets are the same ones") {
    const udp::endpoint v4{asio::ip::make_address("127.0.0.7"), 7400};
    const udp::endpoint v6{asio::ip::make_address("::1"), 65535};
    CHECK(net::to_endpoint(net::to_datagram_address(v4)) == v4);
    CHECK(net::to_endpoint(net::to_datagram_address(v6)) == v6);
    CHECK(net::to_datagram_address(v4) == test::place(7400, 7));
    CHECK(net::literal_addresses({"localhost:1", "nonsense:x", "127.0.0.7:7400"}) ==
          std::vector{test::place(7400, 7)});
}

} // namespace almenara::server
