#include "base/random.hpp"
#include "cluster/cluster.hpp"
#include "cluster/raw_device.hpp"
#include "net/address.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <vector>

using namespace almenara;
using namespace almenara::test;
using namespace std::chrono_literals;

// C.2 with real processes and real datagrams.

namespace {

/// Three servers that are in sync, and who rules.
struct stage {
    stage() {
        servers.start_all();
        office = servers.wait_until_in_sync();
    }

    [[nodiscard]] std::uint16_t port(server_id which) const {
        return net::parse_host_port(servers.address(which))->port;
    }
    [[nodiscard]] std::uint16_t port_of_primary() const { return port(office.primary); }

    void registers_everywhere(raw_device& device) const {
        static_cast<void>(device.log_in(port_of_primary()));
        for (const server_id id : servers.ids()) {
            device.register_with(port(id));
        }
    }

    /// What the state dump counts under that name.
    std::uint64_t count_of(server_id which, const std::string& name) {
        server_process& server = servers.at(which);
        const std::size_t before = server.times_logged("beacon: ");
        server.child().send(SIGUSR1);
        server.wait_for_log("beacon: ", before + 1);
        const std::string& log = server.log();
        const std::size_t end = log.find(" " + name, log.rfind("beacon: "));
        REQUIRE(end != std::string::npos);
        return std::stoull(log.substr(log.rfind(' ', end - 1)));
    }

    /// By PRESENCE: "presences" or "departures".
    void backups_hear_of(const std::string& what) {
        for (const server_id id : servers.others_than(office.primary)) {
            eventually([&] { return count_of(id, what) > 0; }, "PRESENCE arrives at the backups");
        }
    }

    cluster servers;
    cluster::office office;
};

/// Who announced the new primary until each of them had.
std::map<std::uint16_t, wire::u_coord> announcements_from(raw_device& device,
                                                          epoch behind,
                                                          const std::vector<std::uint16_t>& ports) {
    std::map<std::uint16_t, wire::u_coord> told;
    const auto deadline = test_clock::now() + patience;
    while (told.size() < ports.size() && test_clock::now() < deadline) {
        if (const auto heard = device.hear_announcement(behind, 1s)) {
            CHECK(std::count(ports.begin(), ports.end(), heard->from) == 1);
            told.emplace(heard->from, heard->what);
        }
    }
    return told;
}

} // namespace

TEST_CASE("C.2: a registered device is told by the new primary and by the backup") {
    stage s;
    raw_device device{1};
    s.registers_everywhere(device);
    const auto before = s.office;
    SECTION("when it was killed") {
        s.servers.kill({before.primary});
    }
    SECTION("when it was asked to end") {
        CHECK(s.servers.stop(before.primary) == good_exit);
    }
    std::vector<std::uint16_t> ports;
    for (const server_id id : s.servers.others_than(before.primary)) {
        ports.push_back(s.port(id));
    }
    const auto told = announcements_from(device, before.epoch, ports);
    const auto after = s.servers.wait_for_primary(before.epoch);
    REQUIRE(told.size() == 2);
    for (const auto& [from, what] : told) {
        CHECK(what.epoch == after.epoch);
        CHECK(what.primary == after.primary);
        wire::datagram_address where;
        where.ip = {std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}};
        where.port = s.port(after.primary);
        CHECK(what.addresses == std::vector{where});
    }
}

TEST_CASE("S12: a device that only the old primary heard of is told by the new one") {
    stage s;
    raw_device device{1};
    const raw_client attached = device.attach(s.port_of_primary());
    device.register_with(s.port_of_primary());
    s.backups_hear_of("presences");
    s.servers.kill({s.office.primary});
    const auto after = s.servers.wait_for_primary(s.office.epoch);
    const auto told = device.hear_announcement(s.office.epoch, patience);
    REQUIRE(told);
    CHECK(told->from == s.port(after.primary));
    CHECK(told->what.primary == after.primary);
}

TEST_CASE("C.2: who attached at the new primary is told no more") {
    stage s;
    raw_device device{1};
    s.registers_everywhere(device);
    s.servers.kill({s.office.primary});
    const auto told = device.hear_announcement(s.office.epoch, patience);
    REQUIRE(told);
    const raw_client attached = device.attach(s.port(told->what.primary));
    // Those that were on their way, and then none: the next would come within a second.
    while (device.hear_announcement(s.office.epoch, 200ms)) {
    }
    CHECK_FALSE(device.hear_announcement(s.office.epoch, 2500ms));
}

TEST_CASE("C.2: of a device that logged out and registered nowhere nobody is told") {
    stage s;
    raw_device device{1};
    {
        const raw_client attached = device.attach(s.port_of_primary());
        device.register_with(s.port_of_primary());
        s.backups_hear_of("presences");
    }
    s.backups_hear_of("departures");
    s.servers.kill({s.office.primary});
    static_cast<void>(s.servers.wait_for_primary(s.office.epoch));
    CHECK_FALSE(device.hear_announcement(s.office.epoch, 1500ms));
}

TEST_CASE("C.2: 100,000 forged, replayed and random datagrams make nobody a target and keep nobody "
          "waiting") {
    stage s;
    raw_device device{1};
    s.registers_everywhere(device);
    const base::byte_vector recorded = device.last_registration();
    const base::byte_vector first = device.registration();
    base::generator random{7};
    raw_datagrams liar{"127.0.0.3"};
    raw_client writer = device.attach(s.port_of_primary());

    std::uint64_t answered = 0;
    const auto hears_all = [&] {
        while (const auto heard = liar.hear(0ms)) {
            answered += heard->bytes.size();
            CHECK(heard->bytes.size() <= wire::register_size);
            CHECK(std::holds_alternative<wire::u_reg_ack>(*wire::parse_datagram(heard->bytes)));
        }
    };
    constexpr unsigned all = 100'000;
    unsigned writes = 0;
    for (unsigned i = 0; i < all; ++i) {
        base::byte_vector bytes = random.chance(1, 2) ? recorded : first;
        if (random.chance(3, 4)) { // Else it is sent as it was recorded.
            bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
        }
        if (random.chance(1, 8)) {
            bytes.resize(random.below(bytes.size() + 1));
        }
        liar.send(s.port_of_primary(), bytes);
        if (i % 100 == 0) {
            hears_all();
        }
        if (i % 10'000 == 0) { // Who works is served meanwhile.
            ++writes;
            writer.say(
                wire::operation{.request = request_id{100 + writes},
                                .session = device.session(),
                                .seq = sequence{writes},
                                .first_unacked = sequence{1},
                                .body = services::body_of<services::kv::kv_messages>(
                                    services::kv::put{.key = "k", .value = {std::byte{1}}})});
            CHECK(writer.expect_answer<wire::operation_result>().code == wire::result_code::ok);
        }
    }
    hears_all();
    CHECK(answered <= liar.bytes_sent());

    s.servers.kill({s.office.primary});
    static_cast<void>(s.servers.wait_for_primary(s.office.epoch));
    REQUIRE(device.hear_announcement(s.office.epoch, patience));
    while (const auto heard = liar.hear(1500ms)) {
        CHECK(std::holds_alternative<wire::u_reg_ack>(*wire::parse_datagram(heard->bytes)));
    }
}

TEST_CASE("C.2: a server whose UDP port is taken does not start, and says so") {
    cluster servers;
    const auto address = servers.address(server_id{1});
    const std::uint16_t port = net::parse_host_port(address)->port;
    const raw_datagrams other{"127.0.0.1", port};
    const finished ended =
        run(almenarad(servers.data_dir(server_id{1}), servers.arguments_of(server_id{1})));
    CHECK(ended.status == exit_status{.code = 1});
    CHECK(
        ended.err.find(fmt::format("opening the UDP port {}, which has the number of the TCP port",
                                   address)) != std::string::npos);
}
