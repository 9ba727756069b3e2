#include "server/beacon_desk.hpp"

#include "base/random.hpp"
#include "unit/server/beacon_stand.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using test::beacon_stand;
using test::place;
using wire::presence_state;

constexpr device_tag laptop{10};
constexpr device_tag phone{20};

wire::presence attached_at(device_tag device, const wire::datagram_address& at) {
    return {.devices = {{.device = device, .address = at, .state = presence_state::attached}}};
}

} // namespace

// -- Registrations --------------------------------------------------------------------------------

TEST_CASE("C.2: a registration without a cookie is given one and registers nobody") {
    beacon_stand server;
    const auto given = server.answer_to(place(1), server.sealed(server.registration(laptop)));
    REQUIRE(given);
    CHECK(given->device == laptop);
    CHECK(given->nonce == wire::datagram_nonce{77});
    CHECK(given->cookie != wire::beacon_cookie{});
    CHECK(server.desk().devices() == 0);

    REQUIRE(server.answer_to(place(1), server.sealed(server.registration(laptop, given->cookie))));
    CHECK(server.desk().devices() == 1);
    CHECK(server.desk().counts().registered == 1);
}

TEST_CASE("C.2: a cookie is good for the address that it was sent to, at the server that made it") {
    beacon_stand server;
    const auto given = server.answer_to(place(1), server.sealed(server.registration(laptop)));
    REQUIRE(given);
    const auto back = server.sealed(server.registration(laptop, given->cookie));

    wire::datagram_address other_host = place(1, 2);
    wire::datagram_address other_family = place(1);
    other_family.is_v6 = true;
    for (const auto& at : {place(2), other_host, other_family}) {
        const auto again = server.answer_to(at, back);
        REQUIRE(again);
        CHECK(again->cookie != given->cookie);
        CHECK(server.desk().devices() == 0);
    }
    beacon_desk other{{.announce_key = beacon_stand::announces, .cookie_key = test::key_of(3)}};
    other.belongs_to(beacon_stand::own_cluster);
    other.received(place(1), back, server.now);
    CHECK(other.devices() == 0);
    CHECK(other.take_datagrams().size() == 1);
}

TEST_CASE("C.2: a cookie is good for two minutes and at most four") {
    beacon_stand server;
    server.now = instant{240min}; // A period begins.
    const auto given = server.answer_to(place(1), server.sealed(server.registration(laptop)));
    REQUIRE(given);
    const auto back = server.sealed(server.registration(laptop, given->cookie));

    server.now = instant{244min};
    CHECK(server.answer_to(place(1), back)->cookie != given->cookie);
    CHECK(server.desk().devices() == 0);
    server.now = instant{244min - 1ns};
    CHECK(server.answer_to(place(1), back)->cookie != given->cookie); // a fresh one
    CHECK(server.desk().devices() == 1);
}

TEST_CASE("C.2: a registration that was recorded and comes from a forged source makes nobody a "
          "target") {
    beacon_stand server;
    server.registers(laptop, place(1));
    const auto given = server.answer_to(place(1), server.sealed(server.registration(laptop)));
    const auto recorded = server.sealed(server.registration(laptop, given->cookie));
    server.hears(place(666), recorded);
    static_cast<void>(server.sent<wire::u_reg_ack>());

    server.rules(2);
    server.desk().due(server.now);
    for (const auto& one : server.sent<wire::u_coord>()) {
        CHECK(one.at == place(1));
    }
}

TEST_CASE("C.2: an answer is never larger than what it answers") {
    beacon_stand server;
    const auto asked = server.sealed(server.registration(laptop));
    server.hears(place(1), asked);
    const auto answers = server.desk().take_datagrams();
    REQUIRE(answers.size() == 1);
    CHECK(answers.front().bytes.size() <= asked.size());
}

TEST_CASE("C.2: what is not for this cluster, or not made with the device's key, is dropped and "
          "counted") {
    beacon_stand server;
    auto foreign = server.registration(laptop);
    foreign.cluster = wire::cluster_tag{1};
    server.hears(place(1), server.sealed(foreign));
    CHECK(server.desk().counts().foreign == 1);

    // With the key of another device.
    server.hears(place(1), wire::to_bytes(server.registration(laptop), server.key_for(phone)));
    CHECK(server.desk().counts().forged == 1);

    server.hears(place(1), {});
    server.hears(place(0), server.sealed(server.registration(laptop)));
    CHECK(server.desk().counts().nonsense == 2);

    CHECK(server.desk().take_datagrams().empty());
    CHECK(server.desk().devices() == 0);
}

TEST_CASE("C.2: what only servers say is dropped and counted") {
    beacon_stand server;
    server.hears(place(1), server.sealed(wire::u_reg_ack{
                               .cluster = wire::tag_of(server.own_cluster), .device = laptop}));
    server.hears(place(1), server.sealed(wire::u_coord{.cluster = wire::tag_of(server.own_cluster),
                                                       .device = laptop,
                                                       .epoch = epoch{99}}));
    CHECK(server.desk().counts().unexpected == 2);
    CHECK(server.desk().take_datagrams().empty());
    CHECK(server.desk().devices() == 0);
}

TEST_CASE("C.2: who belongs to no cluster knows nobody") {
    beacon_desk desk{{.announce_key = beacon_stand::announces, .cookie_key = test::key_of(3)}};
    desk.received(place(1), beacon_stand::sealed(beacon_stand::registration(laptop)), instant{1h});
    CHECK(desk.take_datagrams().empty());
    CHECK(desk.counts().foreign == 1);
}

TEST_CASE("style 11: in a second a device gets so many answers, and all devices so many") {
    beacon_stand server{{.most_answers = 20, .most_answers_to_device = 8}};
    for (int i = 0; i < 100; ++i) {
        server.hears(place(1), server.sealed(server.registration(laptop)));
    }
    CHECK(server.sent<wire::u_reg_ack>().size() == 8);
    for (std::uint64_t i = 0; i < 100; ++i) {
        server.hears(place(1), server.sealed(server.registration(device_tag{100 + i})));
    }
    CHECK(server.sent<wire::u_reg_ack>().size() == 12);
    CHECK(server.desk().counts().unanswered == 180);

    server.now = server.now + 1s;
    server.hears(place(1), server.sealed(server.registration(laptop)));
    CHECK(server.sent<wire::u_reg_ack>().size() == 1);
}

TEST_CASE("C.2: who shows a good cookie is registered, though no more is answered in this second") {
    beacon_stand server{{.most_answers_to_device = 1}};
    const auto given = server.answer_to(place(1), server.sealed(server.registration(laptop)));
    REQUIRE(given);
    server.hears(place(1), server.sealed(server.registration(laptop, given->cookie)));
    CHECK(server.sent<wire::u_reg_ack>().size() == 1);
    server.hears(place(2), server.sealed(server.registration(laptop)));
    server.hears(place(1), server.sealed(server.registration(laptop, given->cookie)));
    CHECK(server.desk().take_datagrams().empty());
    CHECK(server.desk().devices() == 1);
}

TEST_CASE("C.2: whoever repeats a recorded registration takes no answer from the device itself") {
    beacon_stand server{{.most_answers_to_device = 8}};
    const auto given = server.answer_to(place(1), server.sealed(server.registration(laptop)));
    REQUIRE(given);
    for (int i = 0; i < 100; ++i) {
        server.hears(place(2), server.sealed(server.registration(laptop)));
    }
    CHECK(server.sent<wire::u_reg_ack>().size() == 7);
    server.hears(place(1), server.sealed(server.registration(laptop, given->cookie)));
    CHECK(server.sent<wire::u_reg_ack>().size() == 1);
}

TEST_CASE("style 11: a device for which there is no room is not acknowledged") {
    beacon_stand server{{.table = {.devices = 1}}};
    server.registers(laptop, place(1));
    const auto given = server.answer_to(place(2), server.sealed(server.registration(phone)));
    REQUIRE(given);
    CHECK_FALSE(
        server.answer_to(place(2), server.sealed(server.registration(phone, given->cookie))));
    CHECK(server.desk().counts().no_room == 1);
    CHECK(server.desk().devices() == 1);
}

// -- Who rules ------------------------------------------------------------------------------------

TEST_CASE("C.2: a new primary tells every address of a device who it is, where, and since when") {
    beacon_stand server;
    server.registers(laptop, place(1));
    server.registers(laptop, place(2));
    server.rules(7);
    server.desk().due(server.now);
    const auto told = server.sent<wire::u_coord>();
    REQUIRE(told.size() == 2);
    CHECK(told[0].at == place(1));
    CHECK(told[1].at == place(2));
    CHECK(told[0].what == wire::u_coord{.cluster = wire::tag_of(server.own_cluster),
                                        .device = laptop,
                                        .epoch = epoch{7},
                                        .primary = server_id{1},
                                        .addresses = {place(7401)},
                                        .config_index = log_index{12},
                                        .sent = 0});
    server.now = server.now + 10ms;
    server.desk().due(server.now);
    CHECK(server.sent<wire::u_coord>().at(0).what.sent == 1);
}

TEST_CASE("C.2: a new primary tells on its schedule until the device attached here") {
    beacon_stand server;
    server.registers(laptop, place(1));
    server.rules(7);
    CHECK(server.announcements_within(100ms) ==
          std::vector<std::chrono::milliseconds>{0ms, 10ms, 30ms, 70ms});
    server.desk().attached(laptop);
    CHECK(server.announcements_within(20s).empty());

    server.rules(8); // Taking office voids attachments.
    CHECK(server.announcements_within(20s).size() == 17);
}

TEST_CASE("C.2: a backup tells once, 20 ms after it learnt of the new primary, who is registered "
          "with it") {
    beacon_stand server;
    server.registers(laptop, place(1));
    server.desk().told(attached_at(phone, place(2)), server.now);
    server.hears_of_primary(7);
    CHECK(server.announcements_within(10ms).empty());
    CHECK(server.announcements_within(10s) == std::vector<std::chrono::milliseconds>{10ms});
}

TEST_CASE("C.2: the same or an older epoch announces nothing again") {
    beacon_stand server;
    server.registers(laptop, place(1));
    server.hears_of_primary(7);
    CHECK(server.announcements_within(1s).size() == 1);
    server.hears_of_primary(7);
    server.hears_of_primary(6);
    server.rules(7);
    CHECK(server.announcements_within(1s).empty());
}

TEST_CASE("C.2: a newer epoch takes the place of the announcement before") {
    beacon_stand server;
    server.registers(laptop, place(1));
    server.rules(7);
    CHECK(server.announcements_within(5ms).size() == 1);
    server.hears_of_primary(8);
    CHECK(server.announcements_within(19ms).empty());
    server.desk().due(server.now = server.now + 1ms);
    const auto told = server.sent<wire::u_coord>();
    REQUIRE(told.size() == 1);
    CHECK(told[0].what.epoch == epoch{8});
    CHECK(told[0].what.primary == server_id{2});
    CHECK(server.announcements_within(20s).empty());
}

TEST_CASE("C.2: who left the office announces itself no more") {
    beacon_stand server;
    server.registers(laptop, place(1));
    server.rules(7);
    CHECK(server.announcements_within(5ms).size() == 1);
    server.desk().left_office();
    CHECK(server.announcements_within(20s).empty());
}

TEST_CASE("C.2: a backup's copy leaves, though it hears that it is not in office itself") {
    beacon_stand server;
    server.registers(laptop, place(1));
    server.hears_of_primary(7);
    server.desk().left_office();
    CHECK(server.announcements_within(1s).size() == 1);
}

TEST_CASE("C.2: who registers while the new primary announces itself is told at once, unless it is "
          "attached") {
    beacon_stand server;
    server.rules(7);
    server.desk().attached(phone);
    server.now = server.now + 500ms;
    server.registers(laptop, place(1));
    server.registers(phone, place(2));
    server.desk().due(server.now);
    const auto told = server.sent<wire::u_coord>();
    REQUIRE(told.size() == 1);
    CHECK(told[0].what.device == laptop);
    CHECK(told[0].what.sent == 0);
}

TEST_CASE("C.2: who was not heard of for 60 s is told nothing") {
    beacon_stand server;
    server.registers(laptop, place(1));
    server.now = server.now + 60s;
    server.rules(7);
    CHECK(server.announcements_within(20s).empty());
}

TEST_CASE("C.2: an announcement has four addresses at most, and only such as can be used") {
    beacon_stand server;
    server.registers(laptop, place(1));
    wire::datagram_address untidy = place(7400);
    untidy.ip[9] = std::byte{1};
    server.desk().new_primary(
        {.epoch = epoch{2},
         .primary = server_id{1},
         .addresses = {place(0), untidy, place(1), place(2), place(3), place(4), place(5)},
         .config_index = {},
         .is_this_server = true},
        server.now);
    server.desk().due(server.now);
    CHECK(server.sent<wire::u_coord>().at(0).what.addresses ==
          std::vector{place(1), place(2), place(3), place(4)});
}

TEST_CASE("style 11: of a crowd not everybody is told in one turn") {
    beacon_stand server{{.most_answers = 100'000}};
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        server.registers(device_tag{i}, place(static_cast<std::uint16_t>(i)));
    }
    server.rules(7);
    server.now = server.now + 25ms; // Everybody is due by now.
    std::size_t told = 0;
    for (int turns = 0; turns < 4; ++turns) {
        CHECK(server.desk().next_wake() <= server.now);
        server.desk().due(server.now);
        const std::size_t some = server.sent<wire::u_coord>().size();
        CHECK(some <= 256);
        told += some;
    }
    CHECK(told == 1000);
    CHECK(server.desk().next_wake() > server.now);
}

// -- PRESENCE -------------------------------------------------------------------------------------

TEST_CASE("C.0: a primary tells its backups at once of a device that is attached, and where it "
          "hears") {
    beacon_stand server;
    server.rules(7);
    server.registers(laptop, place(1));
    CHECK(server.tells_backups().empty()); // It is attached nowhere.
    server.desk().attached(laptop);
    CHECK(server.tells_backups() ==
          std::vector<wire::device_presence>{{laptop, place(1), presence_state::attached}});
    CHECK(server.tells_backups().empty());

    server.desk().attached(phone); // It has registered nowhere.
    CHECK(server.tells_backups().empty());
    server.registers(phone, place(2));
    CHECK(server.tells_backups() ==
          std::vector<wire::device_presence>{{phone, place(2), presence_state::attached}});

    server.desk().gone(laptop);
    CHECK(server.tells_backups() ==
          std::vector<wire::device_presence>{{laptop, place(1), presence_state::gone}});
}

TEST_CASE("C.0: a primary tells its backups of an address from which nothing comes any more") {
    beacon_stand server;
    server.rules(7);
    server.registers(laptop, place(1));
    server.desk().attached(laptop);
    static_cast<void>(server.tells_backups());
    server.now = server.now + 30s;
    server.registers(laptop, place(2));
    static_cast<void>(server.tells_backups());
    server.now = server.now + 36s;
    server.desk().due(server.now);
    const auto told = server.tells_backups();
    CHECK(told.back() == wire::device_presence{laptop, place(1), presence_state::gone});
}

TEST_CASE("C.0: every 15 s a primary tells its backups of all") {
    beacon_stand server;
    server.rules(7);
    server.registers(laptop, place(1));
    server.desk().attached(laptop);
    static_cast<void>(server.tells_backups());
    const instant began = server.now;
    for (int round = 1; round <= 3; ++round) {
        server.now = began + 15s * round - 1ms;
        CHECK(server.tells_backups().empty());
        server.now = began + 15s * round;
        CHECK(server.desk().next_wake() <= server.now);
        CHECK(server.tells_backups() ==
              std::vector<wire::device_presence>{{laptop, place(1), presence_state::attached}});
    }
}

TEST_CASE("C.0: a backup tells nobody of the devices that it knows") {
    beacon_stand server;
    server.hears_of_primary(7);
    server.registers(laptop, place(1));
    server.desk().attached(laptop);
    server.now = server.now + 1min;
    CHECK(server.tells_backups().empty());
}

TEST_CASE("S12: a device that only the old primary heard of is told by the new one") {
    beacon_stand server;
    server.hears_of_primary(7);
    static_cast<void>(server.announcements_within(1s));
    server.desk().told(attached_at(laptop, place(1)), server.now);
    server.rules(8);
    server.desk().due(server.now);
    const auto told = server.sent<wire::u_coord>();
    REQUIRE(told.size() == 1);
    CHECK(told[0].at == place(1));
    CHECK(told[0].what.primary == server_id{1});
}

TEST_CASE("S12: of a device that has left the old primary nobody is told, unless it is registered "
          "here") {
    beacon_stand server;
    server.hears_of_primary(7);
    server.registers(phone, place(2));
    for (const auto& who : {attached_at(laptop, place(1)), attached_at(phone, place(2))}) {
        server.desk().told(who, server.now);
        wire::presence left = who;
        left.devices.front().state = presence_state::gone;
        server.desk().told(left, server.now);
    }
    server.rules(8);
    server.desk().due(server.now);
    const auto told = server.sent<wire::u_coord>();
    REQUIRE(told.size() == 1);
    CHECK(told[0].what.device == phone);
}

TEST_CASE("C.0: what PRESENCE says that cannot be is ignored") {
    beacon_stand server;
    wire::presence odd = attached_at(laptop, place(0));
    odd.devices.push_back({phone, place(1), static_cast<presence_state>(9)});
    wire::datagram_address untidy = place(7);
    untidy.ip[15] = std::byte{1};
    odd.devices.push_back({phone, untidy, presence_state::attached});
    server.desk().told(odd, server.now);
    CHECK(server.desk().devices() == 0);

    server.rules(7);
    server.desk().told(attached_at(laptop, place(1)), server.now); // Who rules knows it better.
    CHECK(server.desk().devices() == 0);
}

TEST_CASE("C.0: many devices are told of in several messages") {
    beacon_stand server{{.most_answers = 100'000}};
    server.rules(7);
    for (std::uint64_t i = 1; i <= 5000; ++i) {
        server.registers(device_tag{i}, place(1));
        server.desk().attached(device_tag{i});
    }
    CHECK(server.tells_backups().size() == 5000);
}

} // namespace almenara::server
