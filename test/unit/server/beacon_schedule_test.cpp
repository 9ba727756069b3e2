#include "server/beacon_schedule.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using teller = beacon_schedule::teller;

constexpr instant start{100s};
constexpr std::size_t all = 1'000'000;

std::vector<device_tag> so_many(std::uint64_t count) {
    std::vector<device_tag> devices;
    for (std::uint64_t i = 1; i <= count; ++i) {
        devices.emplace_back(i);
    }
    return devices;
}

/// When it was told, counted from the start, if everybody looks exactly when it says.
std::vector<duration> moments(beacon_schedule& schedule, device_tag whom = device_tag{1}) {
    std::vector<duration> when;
    std::uint32_t expected = 0;
    while (const auto next = schedule.next_due()) {
        for (const auto& one : schedule.take_due(*next, all)) {
            if (one.device == whom) {
                CHECK(one.sent == expected++);
                when.push_back(*next - start);
            }
        }
    }
    return when;
}

} // namespace

TEST_CASE("C.2: a new primary tells at 0, 10, 30, 70, 150, 310 and 630 ms, then each second up to "
          "10 s") {
    beacon_schedule schedule;
    schedule.begin(teller::primary, so_many(1), start);
    CHECK(moments(schedule) == std::vector<duration>{0ms, 10ms, 30ms, 70ms, 150ms, 310ms, 630ms, 1s,
                                                     2s, 3s, 4s, 5s, 6s, 7s, 8s, 9s, 10s});
}

TEST_CASE("C.2: a backup tells once, 20 ms later") {
    beacon_schedule schedule;
    schedule.begin(teller::backup, so_many(1), start);
    CHECK(moments(schedule) == std::vector<duration>{20ms});
}

TEST_CASE("C.2: up to 100 devices are told at once, more are spread over 20 ms") {
    beacon_schedule schedule;
    schedule.begin(teller::primary, so_many(100), start);
    CHECK(schedule.take_due(start, all).size() == 100);

    schedule.begin(teller::primary, so_many(200), start);
    CHECK(schedule.take_due(start, all).size() == 1);
    CHECK(schedule.take_due(start + 9900us, all).size() == 99);
    CHECK(schedule.take_due(start + 19900us, all).size() >= 100);
    // The last one's steps are all as much later.
    schedule.begin(teller::primary, so_many(200), start);
    const auto last = moments(schedule, device_tag{200});
    CHECK(last.size() == 17);
    CHECK(last.front() == 19900us);
    CHECK(last[1] == 29900us);
    CHECK(last.back() == 10s + 19900us);
}

TEST_CASE("C.2: who attached is not told any more") {
    beacon_schedule schedule;
    schedule.begin(teller::primary, so_many(2), start);
    CHECK(schedule.take_due(start, all).size() == 2);
    schedule.leave(device_tag{1});
    schedule.leave(device_tag{1});
    CHECK(schedule.take_due(start + 10ms, all) ==
          std::vector<beacon_schedule::due>{{.device = device_tag{2}, .sent = 1}});
}

TEST_CASE("C.2: what was missed while nobody looked is not made up for") {
    beacon_schedule schedule;
    schedule.begin(teller::primary, so_many(1), start);
    CHECK(schedule.take_due(start + 400ms, all).size() == 1);
    CHECK(schedule.next_due() == start + 630ms);
}

TEST_CASE("C.2: who comes to be known meanwhile is told at once and from then on") {
    beacon_schedule schedule;
    schedule.begin(teller::primary, {}, start);
    schedule.join(device_tag{1}, start + 100ms);
    schedule.join(device_tag{1}, start + 101ms);
    CHECK(schedule.take_due(start + 100ms, all).size() == 1);
    CHECK(schedule.next_due() == start + 150ms);

    schedule.join(device_tag{2}, start + 10s);
    schedule.begin(teller::backup, {}, start);
    schedule.join(device_tag{2}, start);
    CHECK_FALSE(schedule.next_due());
}

TEST_CASE("C.2: another announcement takes the place of the one before, and an end ends it") {
    beacon_schedule schedule;
    schedule.begin(teller::primary, so_many(3), start);
    schedule.begin(teller::backup, so_many(1), start + 5ms);
    CHECK(schedule.take_due(start + 1s, all).size() == 1);
    CHECK_FALSE(schedule.next_due());

    schedule.begin(teller::primary, so_many(3), start);
    schedule.end();
    CHECK_FALSE(schedule.next_due());
    schedule.join(device_tag{1}, start);
    CHECK_FALSE(schedule.next_due());
}

TEST_CASE("style 11: in one turn so many are told and no more") {
    beacon_schedule schedule;
    schedule.begin(teller::primary, so_many(5), start);
    CHECK(schedule.take_due(start, 3).size() == 3);
    CHECK(schedule.next_due() == start);
    CHECK(schedule.take_due(start, 3).size() == 2);
}

} // namespace almenara::server
