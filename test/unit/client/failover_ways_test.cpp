#include "client/ways.hpp"
#include "unit/client/failover_stand.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace almenara;
using namespace std::chrono_literals;
using client::source;
using client::ways;
using test::failover_stand;

namespace {

/// Served by server 1 in epoch 3, with an operation that it has not answered.
struct one_way : failover_stand {
    explicit one_way(ways follow,
                     std::vector<std::string> named = {"a:1", "b:2", "c:3"},
                     bool knows_members = true)
        : failover_stand({.servers = std::move(named),
                          .user = "anna",
                          .client_name = "test 1",
                          .follow = follow}) {
        put("1");
        serve("a:1", epoch{3});
        if (knows_members) {
            tell_members("a:1", "a:1", epoch{3});
        }
        confirm("a:1", heard<wire::operation>("a:1"), log_index{8});
        op = put("2");
    }

    void tell_members(const std::string& through, const std::string& primary, epoch at) {
        wire::members told;
        told.config_index = log_index{2};
        told.epoch = at;
        for (const std::string address : {"a:1", "b:2", "c:3"}) {
            const bool rules = address == primary;
            told.servers.push_back(
                {.id = server_of(address),
                 .addresses = {address},
                 .up = true,
                 .role = rules ? wire::server_role::primary : wire::server_role::backup});
        }
        say(through, told);
    }

    /// The held operation goes there and is answered; who told of it is as expected.
    void ends_at(const std::string& address, source by) {
        const auto again = heard<wire::operation>(address);
        CHECK(again.seq == sequence{2});
        confirm(address, again, log_index{9});
        REQUIRE(answer(op));
        CHECK(answer(op)->code == wire::result_code::ok);
        REQUIRE(told<client::reconnected>().size() == 1);
        CHECK(told<client::reconnected>()[0].told_by == by);
        CHECK(told<client::reconnected>()[0].server == server_of(address));
    }

    client::ticket op{};
};

} // namespace

TEST_CASE("the ways to a new primary are read as they are written") {
    CHECK(client::parse_ways("beacon").value() == ways{source::beacon});
    CHECK(client::parse_ways("directory,standby").value() ==
          ways{source::standby, source::directory});
    CHECK(client::parse_ways("beacon,redirect,standby,members,directory").value() ==
          client::all_ways);
    for (const std::string wrong : {"", ",", "beacon,", "beacon members", "Beacon", "all"}) {
        CHECK_FALSE(client::parse_ways(wrong).has_value());
    }
    const std::string why = client::parse_ways("beacno").error().message();
    CHECK(why.find("'beacno'") != std::string::npos);
    CHECK(why.find("Did you mean 'beacon'?") != std::string::npos);
    for (const source each : client::all_sources) {
        CHECK(client::find_source(client::to_string(each)) == each);
    }
}

TEST_CASE("C.3: the first primary is found by all that servers say, whatever the ways") {
    const auto way = GENERATE(source::beacon, source::redirect, source::standby, source::members,
                              source::directory);
    failover_stand here{{.servers = {"a:1"}, .user = "anna", .follow = {way}}};
    here.put("1");
    SECTION("at the door") {
        here.welcome("a:1", "b:2", epoch{3});
    }
    SECTION("by WHOIS") {
        here.welcome("a:1", std::nullopt, epoch{3});
        here.tell_primary("a:1", "b:2", epoch{3});
    }
    here.serve("b:2", epoch{3});
    CHECK(here.heard_all<wire::operation>("b:2").size() == 1);
}

TEST_CASE("C.3: a primary that was lost and is back is followed, whatever the ways") {
    const auto way = GENERATE(source::beacon, source::redirect, source::standby, source::members,
                              source::directory);
    one_way here{{way}};
    here.cut("a:1");
    here.pass(500ms);
    here.serve("a:1", epoch{3});
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{2});
}

// -- Members --------------------------------------------------------------------------------------

TEST_CASE("C.3: by members alone: all are asked, and any may say who rules") {
    one_way here{{source::members}};
    here.cut("a:1");
    here.pass(20ms);
    SECTION("asked") {
        here.welcome("b:2", std::nullopt, epoch{3});
        here.tell_primary("b:2", "c:3", epoch{4});
    }
    SECTION("at the door") {
        here.welcome("b:2", "c:3", epoch{4});
    }
    SECTION("at a change") {
        here.welcome("b:2", std::nullopt, epoch{3});
        here.tell_members("b:2", "c:3", epoch{4});
    }
    here.serve("c:3", epoch{4});
    here.ends_at("c:3", source::members);
}

TEST_CASE("C.3: without redirect nobody is sent on") {
    one_way here{{source::members}};
    here.redirect("a:1", here.heard<wire::operation>("a:1").request, "c:3", epoch{4});
    CHECK(here.dials_to("c:3") == 0);
    CHECK(here.client().epoch_seen() == epoch{3});
    here.pass(500ms);
    here.welcome("b:2", "c:3", epoch{4});
    here.serve("c:3", epoch{4});
    here.ends_at("c:3", source::members);
}

// -- Redirect -------------------------------------------------------------------------------------

TEST_CASE("C.3: by redirect alone: servers are tried one by one, and nobody is asked who rules") {
    one_way here{{source::redirect}};
    here.cut("a:1");
    here.pass(20ms);
    CHECK(here.dials_to("b:2") == 1);
    CHECK(here.dials_to("c:3") == 0);
    here.welcome("b:2", "c:3", epoch{4}); // It names one; that is not how this client goes.
    CHECK(here.dials_to("c:3") == 0);
    CHECK(here.heard_all<wire::whois>("b:2").empty());
    here.log_in("b:2", epoch{4});
    CHECK(here.told<client::reconnected>().empty());
    SECTION("it knows who rules") {
        here.redirect("b:2", here.heard<wire::attach>("b:2").request, "c:3", epoch{4});
    }
    SECTION("it knows nobody, and the next one rules") {
        here.redirect("b:2", here.heard<wire::attach>("b:2").request, std::nullopt, epoch{4});
        here.pass(400ms);
    }
    REQUIRE(here.has_link("c:3"));
    here.serve("c:3", epoch{4});
    here.ends_at("c:3", source::redirect);
}

TEST_CASE("C.3: by redirect alone: who only reads is sent on as well") {
    failover_stand here{
        {.servers = {"a:1", "b:2", "c:3"}, .user = "anna", .follow = {source::redirect}}};
    const auto first = here.get();
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    wire::read_result done;
    done.request = here.heard<wire::read>("a:1").request;
    done.index = log_index{5};
    done.epoch = epoch{3};
    here.say("a:1", done);
    REQUIRE(here.answer(first));
    const auto second = here.get();
    here.cut("a:1");
    here.pass(20ms);
    here.welcome("b:2", std::nullopt, epoch{4});
    here.log_in("b:2", epoch{4});
    CHECK(here.told<client::reconnected>().empty()); // It has only let this client in.
    here.redirect("b:2", here.heard<wire::read>("b:2").request, "c:3", epoch{4});
    here.welcome("c:3", std::nullopt, epoch{4});
    here.log_in("c:3", epoch{4});
    done.request = here.heard<wire::read>("c:3").request;
    done.epoch = epoch{4};
    here.say("c:3", done);
    CHECK(here.answer(second));
    REQUIRE(here.told<client::reconnected>().size() == 1);
    CHECK(here.told<client::reconnected>()[0].server == server_id{3});
}

TEST_CASE("C.3: by redirect alone: those who know nobody do not use up the redirects") {
    one_way here{{source::redirect}};
    here.cut("a:1");
    for (int i = 0; i < 12; ++i) {
        here.pass(200ms);
        for (const std::string address : {"b:2", "c:3"}) {
            if (here.has_link(address)) {
                if (here.heard_all<wire::c_hello>(address).empty()) {
                    here.welcome(address, std::nullopt, epoch{3});
                    here.log_in(address, epoch{3});
                }
                here.redirect(address, here.heard<wire::attach>(address).request, std::nullopt,
                              epoch{3});
            }
        }
    }
    for (int i = 0; i < 100 && !here.client().followed(); ++i) {
        here.pass(10ms);
    }
    REQUIRE(here.client().followed());
    const std::string last = here.client().followed() == here.link_to("b:2") ? "b:2" : "c:3";
    here.redirect(last, here.heard<wire::attach>(last).request, "d:4", epoch{4});
    CHECK(here.dials_to("d:4") == 1);
    here.serve("d:4", epoch{4});
    here.ends_at("d:4", source::redirect);
}

TEST_CASE("C.3: by redirect alone: a primary that does not answer is left for the next one") {
    one_way here{{source::redirect}};
    here.pass(449ms);
    CHECK(here.has_link("a:1"));
    here.pass(100ms);
    REQUIRE(here.has_link("b:2"));
    here.welcome("b:2", std::nullopt, epoch{4});
    here.log_in("b:2", epoch{4});
    here.attach("b:2", epoch{4});
    here.ends_at("b:2", source::redirect);
}

// -- Directory ------------------------------------------------------------------------------------

TEST_CASE("C.3: by directory alone: the name is looked up again, and whoever has it followed") {
    // "name:1" leads to server 1 first and to another one later.
    failover_stand here{{.servers = {"name:1"}, .user = "anna", .follow = {source::directory}}};
    here.put("1");
    here.serve("name:1", epoch{3});
    here.cut("name:1");
    here.pass(200ms);
    REQUIRE(here.dials_to("name:1") == 2);
    SECTION("at once") {
        here.welcome_as("name:1", server_id{2}, "b:2", epoch{4});
    }
    SECTION("when the name is behind") {
        here.welcome_as("name:1", server_id{3}, "b:2", epoch{4});
        CHECK_FALSE(here.has_link("name:1"));
        CHECK(here.dials_to("b:2") == 0);
        here.pass(200ms);
        CHECK(here.dials_to("name:1") == 3);
        here.welcome_as("name:1", server_id{2}, "b:2", epoch{4});
    }
    SECTION("when nobody answers behind the name") {
        here.pass(700ms);
        CHECK(here.dials_to("name:1") == 3);
        here.welcome_as("name:1", server_id{2}, "b:2", epoch{4});
    }
    SECTION("when nobody rules yet") {
        here.welcome_as("name:1", server_id{2}, std::nullopt, epoch{3});
        here.tell_primary("name:1", "b:2", epoch{4});
    }
    here.log_in("name:1", epoch{4});
    here.attach("name:1", epoch{4});
    CHECK(here.heard<wire::operation>("name:1").seq == sequence{1});
    REQUIRE(here.told<client::reconnected>().size() == 1);
    CHECK(here.told<client::reconnected>()[0].told_by == source::directory);
    CHECK(here.told<client::reconnected>()[0].server == server_id{2});
}

TEST_CASE("C.3: a name that has moved leads to no address of the server that had it") {
    client::routes all{{"name:1"}};
    const auto way = all.find(server_id{1});
    CHECK_FALSE(way);
    all.name(client::route_number{1}, server_id{1});
    REQUIRE(all.way_to({.id = server_id{1}, .addresses = {"a:1"}}));
    CHECK(all.at(client::route_number{1}).addresses == std::vector<std::string>{"name:1", "a:1"});
    CHECK(all.name(client::route_number{1}, server_id{2}));
    CHECK(all.at(client::route_number{1}).addresses == std::vector<std::string>{"name:1"});
    CHECK_FALSE(all.name(client::route_number{1}, server_id{2}));
}

// -- Standby --------------------------------------------------------------------------------------

TEST_CASE("C.3: one place at one backup is kept while a primary serves") {
    one_way here{{source::standby}};
    here.pass(20ms);
    const std::string there = here.dials_to("b:2") > 0 ? "b:2" : "c:3";
    CHECK(here.dials_to("b:2") + here.dials_to("c:3") == 1);
    here.welcome(there, "a:1", epoch{3});
    CHECK_FALSE(here.heard<wire::login>(there).nonce);
    here.log_in(there, epoch{3});
    const auto place = here.heard<wire::attach>(there);
    CHECK(place.mode == wire::attach_mode::standby);
    here.attach(there, epoch{3});
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{9});
    // Its server has little to do for it.
    here.pass(2500ms);
    here.pong("a:1");
    CHECK(here.heard_all<wire::ping>(there).empty());
    CHECK(here.heard_all<wire::whois>(there).empty());
    CHECK(here.has_link(there));
    CHECK(here.told<client::primary_lost>().empty());
    CHECK(here.dials_to("b:2") + here.dials_to("c:3") == 1);
}

TEST_CASE("C.3: by standby alone: it says who rules, and if it rules itself one ATTACH is all") {
    one_way here{{source::standby}};
    here.pass(20ms);
    const std::string there = here.dials_to("b:2") > 0 ? "b:2" : "c:3";
    const std::string other = there == "b:2" ? "c:3" : "b:2";
    here.welcome(there, "a:1", epoch{3});
    here.log_in(there, epoch{3});
    here.attach(there, epoch{3});
    const std::size_t logins = here.heard_all<wire::login>(there).size();
    std::string found = there;
    SECTION("asked after the loss, it rules itself") {
        here.cut("a:1");
        CHECK(here.dials_to(other) == 0);
        here.tell_primary(there, there, epoch{4});
        CHECK(here.heard<wire::attach>(there).mode == wire::attach_mode::service);
        CHECK(here.heard_all<wire::login>(there).size() == logins);
        here.attach(there, epoch{4});
    }
    SECTION("asked after the loss, another one rules") {
        here.cut("a:1");
        here.tell_primary(there, other, epoch{4});
        here.serve(other, epoch{4});
        found = other;
    }
    SECTION("it says so by itself, of a primary that looks alive") {
        here.tell_members(there, there, epoch{4});
        here.attach(there, epoch{4});
    }
    SECTION("asked about a primary in doubt") {
        here.pass(460ms);
        CHECK(here.has_link("a:1"));
        here.tell_primary(there, there, epoch{4});
        here.attach(there, epoch{4});
    }
    here.ends_at(found, source::standby);
}

TEST_CASE("C.3: by standby alone: a server that has lost its disk is left for one that may know") {
    one_way here{{source::standby}};
    here.pass(20ms);
    const std::string wiped = here.dials_to("b:2") > 0 ? "b:2" : "c:3";
    const std::string other = wiped == "b:2" ? "c:3" : "b:2";
    here.welcome(wiped, std::nullopt, epoch{});
    here.log_in(wiped, epoch{});
    here.attach(wiped, epoch{});
    here.cut("a:1");
    // It answers whatever it is asked, and knows nobody.
    std::size_t let_in = here.dials_to(wiped);
    std::size_t answered = 0;
    for (int i = 0; i < 100 && here.dials_to(other) == 0; ++i) {
        if (here.dials_to(wiped) > let_in) {
            here.welcome(wiped, std::nullopt, epoch{});
            let_in = here.dials_to(wiped);
            answered = 0;
        }
        if (here.has_link(wiped) && here.heard_all<wire::whois>(wiped).size() > answered) {
            wire::primary_is nobody;
            nobody.request = here.heard<wire::whois>(wiped).request;
            ++answered;
            here.say(wiped, nobody);
        }
        here.pass(100ms);
    }
    REQUIRE(here.dials_to(other) == 1);
    here.welcome(other, other, epoch{4});
    here.serve(other, epoch{4});
    here.ends_at(other, source::standby);
}

TEST_CASE("C.3: a standby that dies or rules is replaced") {
    one_way here{{source::standby}};
    here.pass(20ms);
    const std::string there = here.dials_to("b:2") > 0 ? "b:2" : "c:3";
    const std::string other = there == "b:2" ? "c:3" : "b:2";
    here.welcome(there, "a:1", epoch{3});
    here.log_in(there, epoch{3});
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{9});
    SECTION("it dies") {
        here.attach(there, epoch{3});
        here.cut(there);
    }
    SECTION("it wants nobody there") {
        here.decline(there, here.heard<wire::attach>(there).request,
                     wire::result_code::unsupported);
    }
    SECTION("it sends this client on") {
        here.redirect(there, here.heard<wire::attach>(there).request, "a:1", epoch{3});
    }
    SECTION("it rules") {
        here.attach(there, epoch{3});
        here.tell_members(there, there, epoch{4});
        here.attach(there, epoch{4});
        const auto at_the_old_one = here.heard<wire::attach>("a:1");
        const bool is_there = at_the_old_one.mode == wire::attach_mode::standby;
        CHECK((is_there || here.dials_to(other) == 1));
        return;
    }
    const std::size_t before = here.dials().size();
    for (int i = 0; i < 3; ++i) {
        here.pass(1100ms);
        here.pong("a:1");
    }
    CHECK(here.dials().size() > before);
    CHECK(here.dials().size() < before + 5);
    CHECK(here.told<client::primary_lost>().empty());
}

TEST_CASE("C.3: who is in passing keeps no place anywhere") {
    one_way here{client::all_ways_in_passing};
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{9});
    here.pass(900ms);
    CHECK(here.dials_to("b:2") == 0);
    CHECK(here.dials_to("c:3") == 0);
}

TEST_CASE("C.3: by all ways: the place at a backup is there before anybody else is asked") {
    one_way here{client::all_ways};
    here.pass(20ms);
    const std::string there = here.dials_to("b:2") > 0 ? "b:2" : "c:3";
    here.welcome(there, "a:1", epoch{3});
    here.log_in(there, epoch{3});
    here.attach(there, epoch{3});
    here.cut("a:1");
    here.tell_primary(there, there, epoch{4});
    here.attach(there, epoch{4});
    here.ends_at(there, source::standby);
}
