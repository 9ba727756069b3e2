#include "base/random.hpp"
#include "client/ways.hpp"
#include "cluster/five_machines.hpp"
#include "cluster/raw_device.hpp"
#include "cluster/wiretap.hpp"
#include "support/process.hpp"
#include "support/wait.hpp"
#include "wire/beacon.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// H13: what strangers say to the beacon's ports, at both ends.
namespace almenara::test {

namespace {

using client::source;

constexpr std::uint16_t server_port = 7400;
/// The test's own, from where everything is forged.
constexpr machine liar{0};

/// One of a client's sockets.
struct ear {
    machine where;
    std::uint16_t port = 0;

    friend bool operator==(const ear&, const ear&) = default;
};

/// What a stranger can have heard of the real clients and servers: each announcement and each
/// registration, with the keys that he has not.
class recordings {
  public:
    explicit recordings(const network& wires) {
        for (const machine each : {five_machines::first_client, five_machines::second_client}) {
            taps_.emplace(each, wiretap{wires, each});
        }
    }

    void catch_up() {
        for (const auto& [where, tap] : taps_) {
            for (tapped_datagram& each : tap.heard()) {
                keep(where, each);
            }
        }
    }

    /// In any order, again and again.
    [[nodiscard]] const base::byte_vector& an_announcement(base::generator& random) const {
        return announcements_[random.below(announcements_.size())];
    }
    [[nodiscard]] const base::byte_vector& a_registration(base::generator& random) const {
        return registrations_[random.below(registrations_.size())];
    }
    [[nodiscard]] const std::vector<ear>& ears() const { return ears_; }
    /// How many there are of this epoch.
    [[nodiscard]] auto announcements_of(epoch which) const {
        return std::count_if(announcements_.begin(), announcements_.end(), [&](const auto& each) {
            return std::get<wire::u_coord>(*wire::parse_datagram(each)).epoch == which;
        });
    }

  private:
    void keep(machine where, tapped_datagram& each) {
        const auto what = wire::parse_datagram(each.bytes);
        if (!what) {
            return;
        }
        if (each.came && std::holds_alternative<wire::u_coord>(*what)) {
            announcements_.push_back(std::move(each.bytes));
        } else if (!each.came && std::holds_alternative<wire::u_register>(*what)) {
            registrations_.push_back(std::move(each.bytes));
            const ear from{.where = where, .port = each.from};
            if (std::find(ears_.begin(), ears_.end(), from) == ears_.end()) {
                ears_.push_back(from);
            }
        }
    }

    std::map<machine, wiretap> taps_;
    std::vector<base::byte_vector> announcements_;
    std::vector<base::byte_vector> registrations_;
    std::vector<ear> ears_;
};

base::byte_vector random_bytes(base::generator& random, std::size_t size) {
    base::byte_vector bytes(size);
    for (std::byte& each : bytes) {
        each = static_cast<std::byte>(random.below(256));
    }
    return bytes;
}

/// Says what nobody said, to everybody who listens for datagrams.
class forger {
  public:
    forger(const network& wires, const recordings& known)
        : wires_(wires), known_(known), socket_(wires.address(liar)) {}

    /// So many more, and hears what comes back.
    void say(unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            say_something();
        }
        hear_all();
    }

    void hear_all(std::chrono::milliseconds within = {}) {
        while (const auto heard = socket_.hear(within)) {
            heard_ += heard->bytes.size();
            const auto what = wire::parse_datagram(heard->bytes);
            REQUIRE(what);
            // Who proved no address is told nothing.
            CHECK(std::holds_alternative<wire::u_reg_ack>(*what));
        }
    }

    [[nodiscard]] std::uint64_t bytes_heard() const { return heard_; }
    [[nodiscard]] std::uint64_t bytes_said() const { return socket_.bytes_sent(); }

  private:
    void say_something() {
        if (random_.chance(1, 4)) {
            const auto server = static_cast<unsigned>(1 + random_.below(3));
            const auto bytes = random_.chance(1, 4) ? an_announcement() : a_registration();
            socket_.send(wires_.address(machine{server}), server_port, bytes);
        } else {
            const ear& to = known_.ears()[random_.below(known_.ears().size())];
            socket_.send(wires_.address(to.where), to.port, an_announcement());
        }
    }

    base::byte_vector a_registration() {
        base::byte_vector bytes = known_.a_registration(random_);
        return random_.chance(1, 2) ? bytes : damaged(std::move(bytes));
    }

    /// Old ones, of this device and of others; changed ones; invented ones; noise.
    base::byte_vector an_announcement() {
        base::byte_vector bytes = known_.an_announcement(random_);
        switch (random_.below(4)) {
        case 0:
            return bytes;
        case 1:
            return damaged(std::move(bytes));
        case 2:
            return a_lie_like(bytes);
        default:
            return random_bytes(random_, random_.below(2 * wire::largest_datagram));
        }
    }

    base::byte_vector damaged(base::byte_vector bytes) {
        bytes[random_.below(bytes.size())] ^= static_cast<std::byte>(1U << random_.below(8));
        if (random_.chance(1, 8)) {
            bytes.resize(random_.below(bytes.size() + 1));
        }
        return bytes;
    }

    /// A newer epoch, whose primary is at the liar's own address, under another key or with the MAC
    /// of the real one.
    base::byte_vector a_lie_like(const base::byte_vector& real) {
        auto what = std::get<wire::u_coord>(*wire::parse_datagram(real));
        what.epoch = epoch{what.epoch.value() + 1 + random_.below(100)};
        what.primary = server_id{static_cast<std::uint16_t>(1 + random_.below(4))};
        wire::datagram_address here{.port = server_port};
        here.ip = {std::byte{127}, std::byte{77}, std::byte{0}, std::byte{254}};
        what.addresses = {here};
        base::key256 key;
        key.reveal().front() = static_cast<std::byte>(random_.below(256));
        base::byte_vector bytes = wire::to_bytes(what, key);
        if (random_.chance(1, 2)) {
            constexpr std::ptrdiff_t mac = 16;
            std::copy(real.end() - mac, real.end(), bytes.end() - mac);
        }
        return bytes;
    }

    const network& wires_;
    const recordings& known_;
    raw_datagrams socket_;
    base::generator random_{13};
    std::uint64_t heard_ = 0;
};

/// By everybody on the two machines of the clients.
std::uint64_t dialled_by_clients(const five_machines& s) {
    std::uint64_t all = 0;
    for (const machine from : {five_machines::first_client, five_machines::second_client}) {
        for (const machine to : s.all_but({from})) {
            all += s.wires.dialled(from, to);
        }
        all += s.wires.dialled(from, liar);
    }
    return all;
}

/// Datagrams that programs on this machine have read.
std::uint64_t datagrams_read_on(const network& wires, machine where) {
    const finished told =
        run({.words = {"/bin/cat", "/proc/self/net/snmp"}, .network = wires.space(where)});
    std::istringstream numbers{told.out.substr(told.out.rfind("\nUdp: ") + 6)};
    std::uint64_t read = 0;
    REQUIRE(numbers >> read);
    return read;
}

/// What the servers count of connections, without the one that asks.
std::uint64_t connections(const five_machines& s) {
    std::uint64_t all = 0;
    for (const server_id id : s.servers.ids()) {
        const auto told = s.servers.status(id);
        all += told ? told->clients - 1 : 0;
    }
    return all;
}

/// The primary is killed, and everybody is well again.
void change_the_primary(five_machines& s) {
    const server_id victim = s.office.primary;
    s.servers.kill({victim});
    s.servers.wait_for_primary(s.office.epoch);
    s.all_go_on();
    s.servers.start(victim);
    s.office = s.servers.wait_until_in_sync();
}

} // namespace

TEST_CASE("H13: 100,000 forged, replayed and reordered datagrams cause no connection, and make "
          "nobody a target") {
    if (network::is_impossible()) {
        return;
    }
    constexpr unsigned before_the_kill = 90'000;
    constexpr unsigned behind_it = 10'000;
    constexpr unsigned at_once = 2'000; // What sockets hold while their owners are busy.
    const bool is_alone = GENERATE(true, false);
    constexpr std::uint64_t clients = 20;
    const client::ways follow = is_alone ? client::ways{source::beacon} : client::all_ways;
    five_machines s{13,
                    fmt::format("10^5 forged datagrams, kill -9 of the primary, followed by {}",
                                is_alone ? "beacon alone" : "all ways"),
                    {.habits = {.writers = 8, .readers = 2, .follow = follow}}};
    recordings known{s.wires};
    s.begin();
    for (int i = 0; i < 2; ++i) {
        change_the_primary(s);
        known.catch_up();
        CHECK(known.announcements_of(s.office.epoch) > 0);
    }
    REQUIRE(known.ears().size() == clients);
    // Each is where it wants to be, with a place for the day of need or without.
    const std::uint64_t wanted = is_alone ? clients : 2 * clients;
    eventually([&] { return connections(s) == wanted; }, "clients are connected as they wish");

    forger stranger{s.wires, known};
    const auto office = s.office;
    const std::uint64_t read_before = datagrams_read_on(s.wires, five_machines::first_client);
    const std::uint64_t dialled_before = dialled_by_clients(s);
    for (unsigned said = 0; said < before_the_kill; said += at_once) {
        stranger.say(at_once);
        s.first->goes_on(20);
        s.second->goes_on(20);
    }
    CHECK(dialled_by_clients(s) == dialled_before);
    // A flood that nobody hears is none: three quarters went to two machines.
    CHECK(datagrams_read_on(s.wires, five_machines::first_client) - read_before >
          before_the_kill / 4);
    CHECK(s.servers.wait_for_primary().epoch == office.epoch);

    s.servers.kill({office.primary});
    stranger.say(behind_it);
    s.servers.wait_for_primary(office.epoch);
    s.all_go_on();
    s.servers.start(office.primary);
    s.end();
    stranger.hear_all(std::chrono::milliseconds{1500});
    CHECK(stranger.bytes_heard() <= stranger.bytes_said());
    CHECK(s.wires.dialled(five_machines::first_client, liar) == 0);
    CHECK(s.wires.dialled(five_machines::second_client, liar) == 0);
    CHECK(s.table.told_by(source::beacon) > 0);
}

} // namespace almenara::test
