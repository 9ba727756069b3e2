#include "unit/client/failover_stand.hpp"

#include <chrono>
#include <set>

using namespace almenara;
using namespace std::chrono_literals;
using client::source;
using test::failover_stand;

namespace {

const wire::beacon_pass given{.tag = device_tag{77}, .key = base::key256{{std::byte{3}}}};

/// Served by server 1 in epoch 3; the beacon is the only way.
struct served : failover_stand {
    explicit served(client::ways follow = {source::beacon})
        : failover_stand({.servers = {"a:1", "b:2", "c:3"},
                          .user = "anna",
                          .client_name = "test 1",
                          .follow = follow},
                         given) {
        const auto first = put("1");
        serve("a:1", epoch{3});
        welcome_members();
        confirm("a:1", heard<wire::operation>("a:1"), log_index{8});
        REQUIRE(answer(first));
        pass(100ms);
    }

    /// All three are members.
    void welcome_members() {
        wire::members told;
        told.config_index = log_index{2};
        told.epoch = epoch{3};
        for (const std::string address : {"a:1", "b:2", "c:3"}) {
            told.servers.push_back({.id = server_of(address),
                                    .addresses = {address},
                                    .up = true,
                                    .role = wire::server_role::backup});
        }
        say("a:1", told);
    }
    [[nodiscard]] bool is_followed(const std::string& address) {
        return client().followed() == link_to(address);
    }
};

} // namespace

TEST_CASE("C.2: whoever has logged in registers with every server it knows") {
    served here;
    std::set<std::string> told;
    for (const auto& each : here.datagrams) {
        CHECK(wire::is_authentic(each.bytes, given.key));
        told.insert(each.address);
    }
    CHECK(told == std::set<std::string>{"a:1", "b:2", "c:3"});
}

TEST_CASE(
    "C.2: a client that keeps nothing and only asks names a device too, and always the same") {
    failover_stand here{{.servers = {"a:1"}, .user = "anna", .client_name = "test 1"}};
    static_cast<void>(here.client().log_in(here.now() + 10s));
    here.turn();
    here.welcome("a:1", "a:1", epoch{1});
    const auto first = here.heard<wire::login>("a:1");
    CHECK_FALSE(first.nonce.has_value());
    REQUIRE(first.device.has_value());
    CHECK(*first.device != device_nonce{});
    here.log_in("a:1", epoch{1});
    here.cut("a:1");
    here.pass(1s);
    here.welcome("a:1", "a:1", epoch{1});
    CHECK(here.heard<wire::login>("a:1").device == first.device);
}

TEST_CASE("C.2: who may not follow the beacon does not register and hears nothing") {
    served here{{source::members}};
    here.announce("b:2", epoch{4});
    CHECK(here.datagrams.empty());
    CHECK(here.dials_to("b:2") == 0);
    CHECK(here.client().hints().taken == 0);
}

TEST_CASE("C.2: an announcement is a hint: its server is dialled, and followed once it says so") {
    served here;
    const auto op = here.put("2");
    here.announce("b:2", epoch{4});
    CHECK(here.dials_to("b:2") == 1);
    CHECK(here.is_followed("a:1"));
    CHECK(here.client().epoch_seen() == epoch{3});
    SECTION("at the door") {
        here.welcome("b:2", "b:2", epoch{4});
    }
    SECTION("when it is asked") {
        here.welcome("b:2", std::nullopt, epoch{4});
        CHECK(here.is_followed("a:1"));
        here.tell_primary("b:2", "b:2", epoch{4});
    }
    SECTION("in a still newer epoch") {
        here.welcome("b:2", "b:2", epoch{5});
    }
    CHECK(here.is_followed("b:2"));
    CHECK(here.client().epoch_seen() >= epoch{4});
    here.serve("b:2", here.client().epoch_seen());
    const auto again = here.heard<wire::operation>("b:2");
    CHECK(again.seq == sequence{2});
    here.confirm("b:2", again, log_index{9});
    REQUIRE(here.answer(op));
    REQUIRE(here.told<client::reconnected>().size() == 1);
    CHECK(here.told<client::reconnected>()[0].told_by == source::beacon);
    CHECK(here.client().hints().confirmed == 1);
    here.pass(1ms);
    CHECK_FALSE(here.has_link("a:1"));
}

TEST_CASE("C.2: until it is confirmed the old primary is followed and the epoch not seen") {
    served here;
    here.announce("b:2", epoch{4});
    SECTION("the server knows no primary") {
        here.welcome("b:2", std::nullopt, epoch{4});
        wire::primary_is nobody;
        nobody.request = here.heard<wire::whois>("b:2").request;
        nobody.epoch = epoch{4};
        here.say("b:2", nobody);
    }
    SECTION("the server says that another one rules") {
        here.welcome("b:2", std::nullopt, epoch{4});
        here.tell_primary("b:2", "c:3", epoch{4});
    }
    SECTION("the server rules in an older epoch than was announced") {
        here.welcome("b:2", std::nullopt, epoch{3});
        here.tell_primary("b:2", "b:2", epoch{3});
    }
    SECTION("nobody listens there") {
        here.refuse("b:2");
    }
    SECTION("it hangs up") {
        here.welcome("b:2", std::nullopt, epoch{4});
        here.cut("b:2");
    }
    SECTION("it refuses to say") {
        here.welcome("b:2", std::nullopt, epoch{4});
        here.decline("b:2", here.heard<wire::whois>("b:2").request, wire::result_code::busy);
    }
    here.pass(1ms);
    CHECK(here.client().hints().refuted == 1);
    CHECK(here.is_followed("a:1"));
    CHECK(here.client().epoch_seen() == epoch{3});
    CHECK(here.told<client::primary_lost>().empty());
    CHECK_FALSE(here.has_link("b:2"));
    const auto op = here.put("2");
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{9});
    CHECK(here.answer(op));
    // The next one is looked at again.
    here.pass(1s);
    here.announce("b:2", epoch{4});
    CHECK(here.client().hints().taken == 2);
}

TEST_CASE("C.2: duplicates and old announcements are dropped by the epoch alone") {
    served here;
    here.announce("b:2", epoch{2});
    here.announce("a:1", epoch{3}); // what is so
    CHECK(here.client().hints().taken == 0);
    for (int i = 0; i < 5; ++i) {
        here.announce("b:2", epoch{4});
    }
    CHECK(here.client().hints().taken == 1);
    CHECK(here.client().hints().old == 6);
    CHECK(here.dials_to("b:2") == 1);
}

TEST_CASE("C.2: the same epoch must name the same primary, else it is ignored and told") {
    served here;
    here.announce("b:2", epoch{3});
    CHECK(here.dials_to("b:2") == 0);
    REQUIRE(here.told<client::contradiction>().size() == 1);
    CHECK(here.told<client::contradiction>()[0].known == server_id{1});
    CHECK(here.told<client::contradiction>()[0].announced == server_id{2});
    here.announce("b:2", epoch{4});
    here.announce("c:3", epoch{4});
    CHECK(here.dials_to("c:3") == 0);
    CHECK(here.told<client::contradiction>().size() == 2);
}

TEST_CASE("C.2: a newer announcement takes the place of one that is not confirmed yet") {
    served here;
    here.announce("b:2", epoch{4});
    here.announce("c:3", epoch{5});
    CHECK(here.dials_to("c:3") == 1);
    here.welcome("c:3", "c:3", epoch{5});
    CHECK(here.is_followed("c:3"));
}

TEST_CASE("C.2: whoever is no member is not followed, and neither is an address of the datagram") {
    served here;
    wire::u_coord what = here.coord("d:4", epoch{4});
    what.addresses = {{.ip = {std::byte{127}, {}, {}, std::byte{1}}, .is_v6 = false, .port = 4}};
    what.config_index = log_index{100};
    here.hear(wire::to_bytes(what, given.key));
    CHECK(here.client().hints().unknown == 1);
    what = here.coord("b:2", epoch{4});
    what.addresses = {{.ip = {std::byte{127}, {}, {}, std::byte{1}}, .is_v6 = false, .port = 9}};
    what.config_index = log_index{100};
    here.hear(wire::to_bytes(what, given.key));
    CHECK(here.dials().back().address == "b:2");
    CHECK(here.dials_to("b:2") == 1);
}

TEST_CASE("C.2: at most ten announcements per second are looked at") {
    served here;
    for (std::uint64_t i = 0; i < 100; ++i) {
        here.announce(i % 2 == 0 ? "b:2" : "c:3", epoch{4 + i});
    }
    CHECK(here.client().hints().taken == 10);
    CHECK(here.client().hints().too_many == 90);
    here.pass(1s);
    here.announce("b:2", epoch{1000});
    CHECK(here.client().hints().taken == 11);
}

TEST_CASE(
    "C.2: a paused primary is left as soon as the new one confirms, however alive TCP looks") {
    served here;
    const auto op = here.put("2");
    here.pass(420ms);
    here.announce("b:2", epoch{4});
    here.serve("b:2", epoch{4});
    const auto again = here.heard<wire::operation>("b:2");
    here.confirm("b:2", again, log_index{9});
    CHECK(here.answer(op)->code == wire::result_code::ok);
    REQUIRE(here.told<client::reconnected>().size() == 1);
    CHECK(here.told<client::reconnected>()[0].after == 0ms);
}

TEST_CASE("C.2: who rules anew is attached to anew") {
    served here;
    here.announce("a:1", epoch{5});
    here.tell_primary("a:1", "a:1", epoch{5});
    CHECK(here.client().epoch_seen() == epoch{5});
    CHECK(here.heard_all<wire::attach>("a:1").size() == 2);
    here.attach("a:1", epoch{5});
    CHECK(here.told<client::reconnected>().size() == 1);
}

TEST_CASE("I19: an announcement with a bad MAC, however often, is not followed") {
    served here;
    const base::byte_vector right = wire::to_bytes(here.coord("b:2", epoch{4}), given.key);
    for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
        base::byte_vector wrong = right;
        wrong[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        here.hear(wrong);
    }
    CHECK(here.client().hints().taken == 0);
    CHECK(here.dials_to("b:2") == 0);
    CHECK(here.client().epoch_seen() == epoch{3});
}

TEST_CASE("I19: an announcement of an older epoch than the newest seen is not followed") {
    served here;
    here.announce("b:2", epoch{7});
    here.serve("b:2", epoch{7});
    const base::byte_vector old = wire::to_bytes(here.coord("c:3", epoch{6}), given.key);
    const std::size_t before = here.dials_to("c:3");
    here.hear(old);
    here.pass(100ms);
    here.hear(old);
    CHECK(here.dials_to("c:3") == before);
    CHECK(here.is_followed("b:2"));
    CHECK(here.client().epoch_seen() == epoch{7});
}

TEST_CASE("I19: an announcement of a far epoch keeps nobody from the true primary") {
    served here;
    here.announce("b:2", epoch{1'000'000});
    here.welcome("b:2", std::nullopt, epoch{3});
    here.tell_primary("b:2", "a:1", epoch{3});
    here.announce("c:3", epoch{4});
    here.serve("c:3", epoch{4});
    CHECK(here.is_followed("c:3"));
    CHECK(here.client().epoch_seen() == epoch{4});
}
