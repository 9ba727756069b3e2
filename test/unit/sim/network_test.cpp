#include "sim/network.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <variant>
#include <vector>

using namespace almenara;
using namespace almenara::sim;
using namespace std::chrono_literals;

namespace {

constexpr node one{1};
constexpr node two{2};

/// Two machines that write down what reaches them.
class two_machines final : public hosts {
  public:
    explicit two_machines(std::uint64_t seed = 1) : net{time, dice{seed}, *this, {}} {}

    [[nodiscard]] bool powered(node at) const override { return is_powered[at.value()]; }
    [[nodiscard]] bool listens(node at) const override { return runs[at.value()]; }
    [[nodiscard]] std::uint64_t life(node) const override { return 1; }

    void accepted(node at, connection_id connection, line_kind) override {
        line = connection;
        tell(at, "accepts");
    }
    void dialled(node at, node, connection_id, line_kind) override { tell(at, "is through"); }
    void dial_failed(node at, node, line_kind) override { tell(at, "cannot reach it"); }
    void received(node at, connection_id, content&& what) override {
        tell(at,
             fmt::format("hears {}", almenara::server::number_of(std::get<client_request>(what))));
    }
    void ended(node at, connection_id) override { tell(at, "is alone"); }
    void datagram(node at, node, base::byte_view bytes) override {
        tell(at, fmt::format("catches {}", static_cast<int>(bytes.front())));
    }

    void wait(duration length) {
        const instant end = time.now() + length;
        while (const auto due = time.next(end)) {
            net.on(*due);
        }
    }

    void connect(line_kind kind = line_kind::control) {
        net.dial(one, two, kind);
        wait(100ms);
        CHECK(told() == "2 accepts, 1 is through");
    }

    void say(node from, std::uint32_t number) {
        net.send(line, from, client_request{wire::whois{.request = request_id{number}}});
    }

    /// Everything since the last time.
    [[nodiscard]] std::string told() {
        return fmt::format("{}", fmt::join(std::exchange(story, {}), ", "));
    }

    agenda time;
    network net;
    std::array<bool, 3> is_powered{true, true, true};
    std::array<bool, 3> runs{true, true, true};
    connection_id line;

  private:
    void tell(node at, std::string_view what) { story.push_back(fmt::format("{} {}", at, what)); }

    std::vector<std::string> story;
};

} // namespace

TEST_CASE("a connection keeps the order of what is sent") {
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
        two_machines world{seed};
        world.connect();
        world.say(one, 1);
        world.say(one, 2);
        world.say(one, 3);
        world.wait(100ms);
        CHECK(world.told() == "2 hears 1, 2 hears 2, 2 hears 3");
    }
}

TEST_CASE("nobody at home is said at once, no machine at home only after a while") {
    two_machines world;
    world.runs[2] = false;
    world.net.dial(one, two, line_kind::control);
    world.wait(100ms);
    CHECK(world.told() == "1 cannot reach it");

    world.is_powered[2] = false;
    world.net.dial(one, two, line_kind::control);
    world.wait(900ms);
    CHECK(world.told().empty());
    world.wait(200ms);
    CHECK(world.told() == "1 cannot reach it");
}

TEST_CASE("what a process said before it was killed arrives, and then its end") {
    two_machines world;
    world.connect();
    world.say(one, 1);
    world.runs[1] = false;
    world.net.process_ended(one, death::exit);
    world.wait(100ms);
    CHECK(world.told() == "2 hears 1, 2 is alone");
}

TEST_CASE("a machine without power says nothing, and who speaks to it loses patience") {
    two_machines world;
    world.connect();
    world.is_powered[1] = world.runs[1] = false;
    world.net.process_ended(one, death::power);
    world.wait(10s);
    CHECK(world.told().empty());
    world.say(two, 1);
    world.wait(390ms);
    CHECK(world.told().empty());
    world.wait(100ms);
    CHECK(world.told() == "2 is alone");
}

TEST_CASE("a direction that is cut leaves a connection that only one side knows of") {
    two_machines world;
    world.connect();
    world.net.block(one, two);
    world.say(one, 1);
    world.wait(1s);
    CHECK(world.told() == "1 is alone");

    world.net.unblock(one, two);
    world.wait(1s);
    CHECK(world.told().empty());
    world.say(two, 2); // There is no such socket any more, and its kernel says so.
    world.wait(1s);
    CHECK(world.told() == "2 is alone");
}

TEST_CASE("what waited for a cut that was short arrives when it is mended") {
    two_machines world;
    world.connect();
    world.net.block(one, two);
    world.net.block(one, two);
    world.say(one, 1);
    world.say(one, 2);
    world.wait(200ms);
    world.net.unblock(one, two); // Two faults, and one of them is over.
    world.wait(100ms);
    CHECK(world.told().empty());
    world.net.unblock(one, two);
    world.wait(1s);
    CHECK(world.told() == "2 hears 1, 2 hears 2");
}

TEST_CASE("a clogged direction costs time and nobody's patience") {
    two_machines world;
    world.connect();
    world.net.clog(one, two);
    world.say(one, 1);
    world.say(two, 2);
    world.wait(5s);
    CHECK(world.told() == "1 hears 2");
    world.net.unclog(one, two);
    world.wait(100ms);
    CHECK(world.told() == "2 hears 1");
}

TEST_CASE("a connection that a middlebox forgot is silent both ways, a client's too") {
    two_machines world;
    world.connect(GENERATE(line_kind::control, line_kind::client));
    dice luck{1};
    REQUIRE(world.net.swallow_one(luck));
    world.say(one, 1);
    world.wait(3s);
    CHECK(world.told() == "1 is alone");
    world.say(two, 2);
    world.wait(3s);
    CHECK(world.told() == "2 is alone");
}

TEST_CASE("datagrams arrive, are lost, come twice and overtake one another") {
    two_machines world;
    network_habits habits;
    const auto cast_some = [&] {
        for (std::uint8_t i = 1; i <= 20; ++i) {
            world.net.cast(one, two, {std::byte{i}});
        }
        world.wait(10s);
        return world.told();
    };
    SECTION("all of them") {
        world.net.set_habits(habits);
        const std::string told = cast_some();
        CHECK(std::count(told.begin(), told.end(), 'c') == 2 * 20); // Each "catches" has two.
        CHECK(told.find("2 catches 20") != std::string::npos);
    }
    SECTION("none of them") {
        habits.datagrams.lost_percent = 100;
        world.net.set_habits(habits);
        CHECK(cast_some().empty());
    }
    SECTION("each twice") {
        habits.datagrams.twice_percent = 100;
        world.net.set_habits(habits);
        const std::string told = cast_some();
        CHECK(std::count(told.begin(), told.end(), 'c') == 2 * 40);
    }
    SECTION("in another order") {
        habits.datagrams.delay = {1ms, 500ms};
        world.net.set_habits(habits);
        const std::string told = cast_some();
        CHECK(told.find("2 catches 2, ") < told.rfind("2 catches"));
        CHECK_FALSE(told.starts_with("2 catches 1, 2 catches 2, 2 catches 3, 2 catches 4, "));
    }
    SECTION("not through a cut, nor to a process that is not there") {
        world.net.block(one, two);
        CHECK(cast_some().empty());
        world.net.unblock(one, two);
        world.runs[2] = false;
        CHECK(cast_some().empty());
    }
}
