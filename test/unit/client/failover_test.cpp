#include "unit/client/three_servers.hpp"

#include <chrono>
#include <string>

// How the primary is found, followed and left.
using namespace almenara;
using namespace std::chrono_literals;
using client::source;
using test::failover_stand;
using test::members;
using test::three;
using wire::result_code;

TEST_CASE("C.3: all known servers are dialled, 10 ms apart") {
    failover_stand here{three()};
    here.pass(25ms);
    REQUIRE(here.dials().size() == 3);
    CHECK(here.dials()[1].at - here.dials()[0].at == 10ms);
    CHECK(here.dials()[2].at - here.dials()[1].at == 10ms);
}

TEST_CASE("C.3: when a primary is lost the next one is asked at once") {
    failover_stand here{three()};
    here.put("1");
    here.serve("a:1", epoch{3});
    here.pass(100ms);
    const instant lost = here.now();
    here.cut("a:1");
    here.pass(15ms);
    REQUIRE(here.dials().size() == 3);
    CHECK(here.dials()[1].at == lost);
    CHECK(here.dials()[1].address == "b:2");
    CHECK(here.dials()[2].at == lost + 10ms);
}

TEST_CASE("C.3: who is welcomed without a primary asks WHOIS, which is held for a second") {
    failover_stand here{three()};
    here.welcome("a:1", std::nullopt, epoch{3});
    CHECK(here.heard<wire::whois>("a:1").wait == 1s);
    CHECK(here.heard_all<wire::login>("a:1").empty());
}

TEST_CASE("C.3: the first answer to the race is followed, the others are let go") {
    failover_stand here{three()};
    here.put("k");
    here.pass(25ms);
    here.welcome("a:1", std::nullopt, epoch{3});
    here.welcome("b:2", std::nullopt, epoch{3});
    here.say("a:1", test::naming<wire::primary_is>(here.heard<wire::whois>("a:1").request, "b:2",
                                                   epoch{4}));
    CHECK(here.heard_all<wire::login>("a:1").empty());
    here.serve("b:2", epoch{4});
    CHECK_FALSE(here.has_link("a:1"));
    CHECK_FALSE(here.has_link("c:3"));
    CHECK(here.heard_all<wire::bye>("a:1").size() == 1);
    CHECK(here.heard_all<wire::operation>("b:2").size() == 1);
}

TEST_CASE("C.3: a primary of an older epoch than the newest seen is not followed") {
    failover_stand here{three()};
    here.put("k");
    here.pass(25ms);
    here.welcome("a:1", "a:1", epoch{5});
    here.cut("a:1");
    here.welcome("b:2", std::nullopt, epoch{5});
    here.pass(15ms);
    here.say("b:2", test::naming<wire::primary_is>(here.heard<wire::whois>("b:2").request, "c:3",
                                                   epoch{4}));
    here.welcome("c:3", "c:3", epoch{4});
    CHECK(here.heard_all<wire::login>("c:3").empty());
}

TEST_CASE("C.3: a redirect is followed and says so") {
    failover_stand here{three()};
    here.put("1");
    here.pass(25ms);
    here.serve("a:1", epoch{3});
    here.say("a:1", test::naming<wire::redirect>(here.heard<wire::operation>("a:1").request, "b:2",
                                                 epoch{4}));
    REQUIRE(here.told<client::primary_lost>().size() == 1);
    CHECK(here.told<client::primary_lost>()[0].held == 1);
    here.pass(2ms);
    here.serve("b:2", epoch{4});
    const auto again = here.told<client::reconnected>();
    REQUIRE(again.size() == 1);
    CHECK(again[0].server == server_id{2});
    CHECK(again[0].epoch == epoch{4});
    CHECK(again[0].after == 2ms);
    CHECK(again[0].told_by == source::redirect);
    CHECK(here.heard<wire::operation>("b:2").seq == sequence{1});
}

TEST_CASE("C.3: who is said to be primary is dialled at once, whose turn it may be") {
    failover_stand here{three()};
    here.put("1");
    here.pass(25ms);
    here.serve("a:1", epoch{3});
    const std::size_t before = here.dials_to("c:3");
    SECTION("by a redirect") {
        here.say("a:1", test::naming<wire::redirect>(here.heard<wire::operation>("a:1").request,
                                                     "c:3", epoch{4}));
        CHECK(here.dials_to("c:3") == before + 1);
    }
    SECTION("by the first who is asked") {
        here.pass(200ms);
        here.cut("a:1");
        here.pass(2ms);
        CHECK(here.dials_to("c:3") == before);
        here.welcome("b:2", "c:3", epoch{4});
        CHECK(here.dials_to("c:3") == before + 1);
    }
}

TEST_CASE("C.3: a server that went away for a while is dialled again once it is primary") {
    failover_stand here{three()};
    here.put("1");
    here.pass(25ms);
    here.serve("a:1", epoch{3});
    wire::bye goodbye;
    goodbye.reason = wire::bye_reason::stopping;
    goodbye.retry_after = 5s;
    here.say("a:1", goodbye);
    here.pass(500ms);
    CHECK(here.dials_to("a:1") == 1);
    here.welcome("b:2", "a:1", epoch{4});
    CHECK(here.dials_to("a:1") == 2);
}

TEST_CASE("C.3: a redirect of an older epoch leads nowhere") {
    failover_stand here{three()};
    here.put("1");
    here.serve("a:1", epoch{3});
    here.say("a:1", test::naming<wire::redirect>(here.heard<wire::operation>("a:1").request, "b:2",
                                                 epoch{2}));
    here.pass(1ms);
    CHECK(here.dials_to("b:2") == 0);
    here.pass(200ms);
    CHECK_FALSE(here.heard_all<wire::whois>("a:1").empty());
}

TEST_CASE("C.3: at most five redirects per second are followed") {
    failover_stand here{{.servers = {"a:1"}, .user = "anna"}};
    here.put("1");
    here.serve("a:1", epoch{3});
    std::size_t logins = here.heard_all<wire::operation>("a:1").size();
    for (int i = 0; i < 20; ++i) {
        const auto attaches = here.heard_all<wire::attach>("a:1");
        const auto request = attaches.back().request;
        here.say("a:1", test::naming<wire::redirect>(request, "a:1", epoch{3}));
        here.say("a:1",
                 test::naming<wire::redirect>(here.heard_all<wire::operation>("a:1").back().request,
                                              "a:1", epoch{3}));
    }
    logins = here.heard_all<wire::attach>("a:1").size();
    CHECK(logins <= 6);
}

TEST_CASE("B.13: a server that answers nothing for 3 s is left") {
    failover_stand here{three()};
    here.put("1");
    here.serve("a:1", epoch{3});
    here.pass(1100ms);
    CHECK(here.heard_all<wire::ping>("a:1").size() == 1);
    CHECK(here.has_link("a:1"));
    SECTION("nor a ping") {
        here.pass(2s);
        CHECK_FALSE(here.told<client::primary_lost>().empty());
    }
    SECTION("but pings") {
        wire::pong alive;
        for (int i = 0; i < 4; ++i) {
            alive.request = here.heard<wire::ping>("a:1").request;
            here.say("a:1", alive);
            here.pass(500ms);
        }
        CHECK_FALSE(here.told<client::primary_lost>().empty());
    }
}

TEST_CASE("D.4: a primary that is paused is left when others name a newer one") {
    failover_stand here{three()};
    here.put("1");
    here.serve("a:1", epoch{3});
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{8});
    here.pass(60ms);
    const auto op = here.put("2");
    here.pass(449ms);
    CHECK_FALSE(here.has_link("b:2"));
    here.pass(1ms);
    REQUIRE(here.has_link("b:2"));
    here.welcome("b:2", "a:1", epoch{3});
    SECTION("by WHOIS") {
        here.say("b:2", test::naming<wire::primary_is>(here.heard<wire::whois>("b:2").request,
                                                       "c:3", epoch{4}));
    }
    SECTION("as it is told by itself") {
        here.say("b:2", members({"a:1", "b:2", "c:3"}, "c:3", log_index{2}, epoch{4}));
    }
    here.serve("c:3", epoch{4});
    const auto again = here.heard<wire::operation>("c:3");
    CHECK(again.seq == sequence{2});
    here.confirm("c:3", again, log_index{10});
    REQUIRE(here.answer(op));
    CHECK(here.answer(op)->code == result_code::ok);
    CHECK(here.told<client::reconnected>().size() == 1);
    here.pass(1ms);
    CHECK_FALSE(here.has_link("a:1"));
    CHECK_FALSE(here.has_link("b:2"));
}

TEST_CASE(
    "D.4: a primary that is only slow is kept, and those who were asked about it are let go") {
    failover_stand here{three()};
    const auto op = here.put("1");
    here.serve("a:1", epoch{3});
    here.pass(500ms);
    here.welcome("b:2", "a:1", epoch{3});
    here.say("b:2", test::naming<wire::primary_is>(here.heard<wire::whois>("b:2").request, "a:1",
                                                   epoch{3}));
    here.pass(200ms);
    CHECK(here.heard_all<wire::whois>("b:2").size() == 2); // there may be news by now
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{8});
    CHECK(here.answer(op)->code == result_code::ok);
    CHECK(here.told<client::primary_lost>().empty());
    CHECK(here.heard_all<wire::operation>("a:1").size() == 1);
    CHECK(here.has_link("a:1"));
    CHECK_FALSE(here.has_link("b:2"));
    CHECK_FALSE(here.has_link("c:3"));
}

TEST_CASE("D.4: a server that lets nobody in is doubted as well") {
    failover_stand here{{.servers = {"a:1", "b:2"}, .user = "anna"}};
    here.put("1");
    here.pass(10ms);
    here.welcome("b:2", "a:1", epoch{3});
    here.accept("a:1"); // The kernel does that for a paused process.
    here.pass(460ms);
    here.say("b:2", test::naming<wire::primary_is>(here.heard<wire::whois>("b:2").request, "b:2",
                                                   epoch{4}));
    here.serve("b:2", epoch{4});
    CHECK(here.heard_all<wire::operation>("b:2").size() == 1);
}

TEST_CASE("B.13: a server that has nothing to answer is kept as long as it answers pings") {
    failover_stand here{three()};
    here.put("1");
    here.serve("a:1", epoch{3});
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{8});
    wire::pong alive;
    for (int i = 0; i < 10; ++i) {
        here.pass(1s);
        alive.request = here.heard<wire::ping>("a:1").request;
        here.say("a:1", alive);
    }
    CHECK(here.told<client::primary_lost>().empty());
    CHECK(here.has_link("a:1"));
}

TEST_CASE("S22: news of members leads to the new primary at once") {
    failover_stand here{{.servers = {"a:1"}, .user = "anna"}};
    here.put("1");
    here.serve("a:1", epoch{3});
    here.say("a:1", members({"a:1", "b:2", "c:3"}, "a:1", log_index{2}, epoch{3}));
    CHECK(here.told<client::primary_lost>().empty());
    here.say("a:1", members({"a:1", "b:2", "c:3"}, "c:3", log_index{2}, epoch{4}));
    here.pass(30ms);
    CHECK(here.dials_to("c:3") == 1);
    here.serve("c:3", epoch{4});
    CHECK(here.told<client::reconnected>()[0].told_by == source::members);
    CHECK_FALSE(here.has_link("a:1"));
}

TEST_CASE("S22: a server that is a member no more is forgotten, one that was named is not") {
    failover_stand here{
        {.servers = {"a:1"}, .user = "anna", .follow = client::all_ways_in_passing}};
    here.put("1");
    here.serve("a:1", epoch{3});
    here.say("a:1", members({"a:1", "b:2"}, "a:1", log_index{2}, epoch{3}));
    here.say("a:1", members({"c:3"}, "", log_index{5}, epoch{3}));
    here.say("a:1", members({"a:1", "b:2"}, "a:1", log_index{2}, epoch{3})); // older
    here.cut("a:1");
    here.pass(300ms);
    CHECK(here.dials_to("b:2") == 0);
    CHECK(here.dials_to("c:3") == 1);
    CHECK(here.dials_to("a:1") == 2);
}
