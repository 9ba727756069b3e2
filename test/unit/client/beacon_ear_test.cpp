#include "client/beacon_ear.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <map>
#include <set>
#include <variant>

using namespace almenara;
using namespace std::chrono_literals;
using client::beacon_ear;
using client::route_number;

namespace {

const cluster_id cluster{{std::byte{5}}};
const wire::beacon_pass pass{.tag = device_tag{77}, .key = base::key256{{std::byte{3}}}};

/// An ear, two servers and the time.
struct ear_stand {
    ear_stand() {
        servers.emplace(route_number{1}, client::route{.addresses = {"127.0.0.1:1"}});
        servers.emplace(route_number{2}, client::route{.addresses = {"127.0.0.1:2"}});
    }

    void begin() {
        ear.belongs_to(cluster, now);
        ear.take(pass, now);
    }
    /// What was sent until then, woken as it wishes.
    std::vector<std::pair<instant, beacon_ear::registration>> pass_time(duration time) {
        std::vector<std::pair<instant, beacon_ear::registration>> sent;
        const instant until = now + time;
        while (ear.next_wake() <= until) {
            now = std::max(now, ear.next_wake());
            for (auto& each : ear.due(now, servers)) {
                sent.emplace_back(now, std::move(each));
            }
        }
        now = until;
        return sent;
    }
    /// What is sent next.
    std::vector<std::pair<instant, beacon_ear::registration>> next() {
        auto sent = pass_time(ear.next_wake() - now);
        while (sent.empty()) {
            sent = pass_time(ear.next_wake() - now);
        }
        return sent;
    }
    static wire::u_register read(const beacon_ear::registration& what) {
        REQUIRE(wire::is_authentic(what.bytes, pass.key));
        return std::get<wire::u_register>(wire::parse_datagram(what.bytes).value());
    }
    void acknowledge(const beacon_ear::registration& what, std::byte cookie) {
        const wire::u_reg_ack ack{.cluster = wire::tag_of(cluster),
                                  .device = pass.tag,
                                  .nonce = read(what).nonce,
                                  .cookie = wire::beacon_cookie{{cookie}}};
        CHECK_FALSE(ear.heard(now, wire::to_bytes(ack, pass.key)));
    }
    [[nodiscard]] wire::u_coord coord() const {
        return {.cluster = wire::tag_of(cluster),
                .device = pass.tag,
                .epoch = epoch{4},
                .primary = server_id{2},
                .addresses = {},
                .config_index = {}};
    }

    instant now{1h};
    beacon_ear ear{9};
    std::map<route_number, client::route> servers;
};

} // namespace

TEST_CASE("C.2: without a pass, or without a cluster, nothing is sent and nothing heard") {
    ear_stand here;
    SECTION("no pass") {
        here.ear.belongs_to(cluster, here.now);
    }
    SECTION("no cluster") {
        here.ear.take(pass, here.now);
    }
    here.ear.servers_changed(here.now);
    CHECK(here.pass_time(60s).empty());
    CHECK_FALSE(here.ear.heard(here.now, wire::to_bytes(here.coord(), pass.key)));
}

TEST_CASE("C.2: a client registers with every server, each with a nonce of its own, in 160 bytes") {
    ear_stand here;
    here.begin();
    const auto sent = here.pass_time(0s);
    REQUIRE(sent.size() == 2);
    CHECK(sent[0].second.bytes.size() == wire::register_size);
    CHECK(sent[1].second.bytes.size() == 160);
    const auto first = ear_stand::read(sent[0].second);
    const auto second = ear_stand::read(sent[1].second);
    CHECK(first.cluster == wire::tag_of(cluster));
    CHECK(first.device == pass.tag);
    CHECK(first.cookie == wire::beacon_cookie{});
    CHECK(first.nonce != second.nonce);
    CHECK(sent[0].second.to != sent[1].second.to);
}

TEST_CASE("C.2: the cookie is sent back at once, and later every 15 s with jitter") {
    ear_stand here;
    here.servers.erase(route_number{2});
    here.begin();
    const auto first = here.pass_time(2ms);
    REQUIRE(first.size() == 1);
    here.acknowledge(first[0].second, std::byte{8});
    const auto back = here.pass_time(2ms);
    REQUIRE(back.size() == 1);
    CHECK(ear_stand::read(back[0].second).cookie == wire::beacon_cookie{{std::byte{8}}});
    here.acknowledge(back[0].second, std::byte{8});
    std::set<duration> pauses;
    instant before = here.now;
    for (int i = 0; i < 10; ++i) {
        const auto again = here.next();
        REQUIRE(again.size() == 1);
        CHECK(ear_stand::read(again[0].second).cookie == wire::beacon_cookie{{std::byte{8}}});
        CHECK(again[0].first - before >= beacon_ear::least_between);
        CHECK(again[0].first - before <= 15s);
        pauses.insert(again[0].first - before);
        before = here.now;
        here.acknowledge(again[0].second, std::byte{8});
    }
    CHECK(pauses.size() > 5);
}

TEST_CASE("C.2: a server that does not answer is told again, ever more rarely") {
    ear_stand here;
    here.servers.erase(route_number{2});
    here.begin();
    const auto sent = here.pass_time(8s);
    REQUIRE(sent.size() == 5);
    CHECK(sent[1].first - sent[0].first == 500ms);
    CHECK(sent[4].first - sent[3].first == 4s);
    CHECK(here.pass_time(150s).size() <= 13);
}

TEST_CASE("C.2: a server with another cookie each time is come back to once, and then when due") {
    ear_stand here;
    here.servers.erase(route_number{2});
    here.begin();
    auto sent = here.pass_time(0s);
    std::size_t count = sent.size();
    for (std::uint8_t cookie = 1; cookie < 100 && !sent.empty(); ++cookie) {
        here.acknowledge(sent.back().second, std::byte{cookie});
        sent = here.pass_time(1ms);
        count += sent.size();
    }
    CHECK(count == 2);
}

TEST_CASE("C.2: an acknowledgement that is sent again changes nothing") {
    ear_stand here;
    here.servers.erase(route_number{2});
    here.begin();
    const auto first = here.pass_time(0s);
    here.acknowledge(first[0].second, std::byte{8});
    const auto back = here.pass_time(0s);
    for (int i = 0; i < 100; ++i) {
        here.acknowledge(first[0].second, std::byte{8});
        here.pass_time(100ms);
    }
    // It was never the answer to the second one: that is sent again as if there were none.
    CHECK(here.pass_time(16s).size() >= 1);
}

TEST_CASE("C.2: an announcement counts with the right MAC, cluster and device only") {
    ear_stand here;
    here.begin();
    here.pass_time(0s);
    wire::u_coord what = here.coord();
    base::key256 key = pass.key;
    bool good = false;
    SECTION("as it should be") {
        good = true;
    }
    SECTION("another cluster") {
        what.cluster = wire::cluster_tag{1};
    }
    SECTION("another device") {
        what.device = device_tag{78};
    }
    SECTION("another key") {
        key = base::key256{{std::byte{4}}};
    }
    CHECK(here.ear.heard(here.now, wire::to_bytes(what, key)).has_value() == good);
}

TEST_CASE("C.2: each flipped bit of an announcement is noticed") {
    ear_stand here;
    here.begin();
    here.pass_time(0s);
    const base::byte_vector right = wire::to_bytes(here.coord(), pass.key);
    REQUIRE(here.ear.heard(here.now, right));
    for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
        base::byte_vector wrong = right;
        wrong[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        CHECK_FALSE(here.ear.heard(here.now, wrong));
    }
    for (std::size_t size = 0; size < right.size(); ++size) {
        CHECK_FALSE(here.ear.heard(here.now, base::byte_view{right}.first(size)));
    }
}

TEST_CASE("C.2: who knows a server no more does not register with it") {
    ear_stand here;
    here.begin();
    CHECK(here.pass_time(0s).size() == 2);
    here.servers.erase(route_number{1});
    here.servers.emplace(route_number{3}, client::route{.addresses = {"127.0.0.1:3"}});
    here.ear.servers_changed(here.now);
    const auto sent = here.pass_time(0s);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].second.to == route_number{3});
    for (const auto& [at, each] : here.pass_time(20s)) {
        CHECK(each.to != route_number{1});
    }
}
