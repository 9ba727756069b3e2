#include "unit/client/three_servers.hpp"

#include <chrono>
#include <string>

// When nobody serves, and when the client leaves.
using namespace almenara;
using namespace std::chrono_literals;
using test::failover_stand;
using test::members;
using test::three;
using wire::result_code;

namespace {

client::failover_options must_find_somebody() {
    auto options = three();
    options.must_find_somebody = true;
    return options;
}

/// Server 1 takes connections and says nothing yet; the others are not there.
client::ticket asks_while_one_listens(failover_stand& here) {
    const auto op = here.put("1", 20s);
    here.pass(25ms);
    here.refuse("b:2");
    here.refuse("c:3");
    here.accept("a:1");
    return op;
}

} // namespace

TEST_CASE("a client that must find somebody says at once that nobody was ever there") {
    failover_stand here{must_find_somebody()};
    const auto op = here.put("1");
    here.pass(25ms);
    here.refuse("a:1");
    here.refuse("b:2");
    CHECK_FALSE(here.answer(op));
    here.refuse("c:3");
    CHECK(here.answer(op)->code == result_code::cancelled);
    CHECK(here.answer(op)->trouble->kind == client::failure_kind::refused);
}

TEST_CASE("who listens and says nothing is there: what is asked waits for it until its deadline") {
    failover_stand here{must_find_somebody()};
    const auto op = asks_while_one_listens(here);
    here.pass(4s);
    REQUIRE(here.dials_to("a:1") == 2);
    CHECK_FALSE(here.answer(op));
    SECTION("it comes to it") {
        here.serve("a:1", epoch{3});
        CHECK(here.heard_all<wire::operation>("a:1").size() == 1);
    }
    SECTION("it never does") {
        here.pass(15900ms);
        CHECK_FALSE(here.answer(op));
        here.pass(100ms);
        REQUIRE(here.answer(op));
        CHECK(here.answer(op)->code == result_code::cancelled);
        CHECK(here.answer(op)->trouble->kind == client::failure_kind::timed_out);
    }
    SECTION("it ends: it was there, and may be started again") {
        here.refuse("a:1");
        here.pass(1s);
        CHECK_FALSE(here.answer(op));
    }
}

TEST_CASE("a client that must find somebody does not wait for who will never let it in") {
    failover_stand here{must_find_somebody()};
    const auto op = asks_while_one_listens(here);
    wire::reject no;
    no.request = here.heard<wire::c_hello>("a:1").request;
    SECTION("turned away for good") {
        no.code = wire::reject_code::denied;
        here.say("a:1", no);
        REQUIRE(here.answer(op));
        CHECK(here.answer(op)->trouble->kind == client::failure_kind::rejected);
    }
    SECTION("turned away for now") {
        no.code = wire::reject_code::full;
        no.retry_after = 2s;
        here.say("a:1", no);
        CHECK_FALSE(here.answer(op));
        here.pass(3s);
        CHECK(here.dials_to("a:1") == 2);
        CHECK_FALSE(here.answer(op));
    }
    SECTION("it speaks no such language") {
        here.garble("a:1");
        REQUIRE(here.answer(op));
        CHECK(here.answer(op)->trouble->kind == client::failure_kind::broken_rules);
    }
}

TEST_CASE("a primary that may not be dialled ends at once what only it can do, and is named") {
    failover_stand here{{.servers = {"a:1"}, .user = "anna"}};
    here.welcome("a:1", "b:2", epoch{3});
    const auto op = here.put("1");
    here.pass(25ms);
    here.bar("b:2");
    REQUIRE(here.answer(op));
    CHECK(here.answer(op)->code == result_code::cancelled);
    CHECK(here.answer(op)->trouble->kind == client::failure_kind::elsewhere);
    CHECK(here.answer(op)->trouble->why == "server 2 is primary: it needs TLS");

    // It is not dialled again, and what is asked later ends as soon as it is known who rules.
    const auto later = here.put("2");
    here.pass(1s);
    here.say("a:1", test::naming<wire::primary_is>(here.heard<wire::whois>("a:1").request, "b:2",
                                                   epoch{3}));
    CHECK(here.answer(later)->trouble->kind == client::failure_kind::elsewhere);
    CHECK(here.dials_to("b:2") == 1);
}

TEST_CASE("a server that may not be dialled is no reason to give up before the primary is known") {
    failover_stand here{{.servers = {"a:1"}, .user = "anna"}};
    here.welcome("a:1", {}, epoch{3});
    here.say("a:1", members({"a:1", "b:2"}, "", log_index{5}, epoch{3}));
    const auto op = here.put("1");
    here.pass(100ms);
    here.bar("b:2");
    here.pass(1s);
    CHECK_FALSE(here.answer(op));
    here.say("a:1", test::naming<wire::primary_is>(here.heard<wire::whois>("a:1").request, "a:1",
                                                   epoch{4}));
    here.log_in("a:1", epoch{4});
    here.attach("a:1", epoch{4});
    CHECK(here.heard_all<wire::operation>("a:1").size() == 1);
}

TEST_CASE("when the time is up without a primary, those that answer count more than who does not") {
    failover_stand here{three()};
    const auto op = here.put("1", 2s);
    here.pass(25ms);
    here.welcome("a:1", {}, epoch{3});
    here.refuse("b:2");
    here.refuse("c:3");
    here.pass(2s);
    REQUIRE(here.answer(op));
    CHECK(here.answer(op)->trouble->kind == client::failure_kind::no_primary);
    CHECK(here.answer(op)->trouble->why ==
          "server 1 answers, and no server is primary now: a majority may be missing");
}

TEST_CASE("who leaves says goodbye and knows how everything ended") {
    failover_stand here{three()};
    const auto op = here.put("1");
    here.serve("a:1", epoch{3});
    here.client().leave(here.now());
    here.turn();
    CHECK(here.answer(op)->code == result_code::uncertain);
    CHECK(here.heard_all<wire::bye>("a:1").size() == 1);
    CHECK_FALSE(here.has_link("a:1"));
    CHECK_FALSE(here.client().write({}, here.now() + 1s));
}

TEST_CASE("what was heard can be taken before the turn, and what is asked then goes out with it") {
    failover_stand here{three()};
    here.put("1");
    here.serve("a:1", epoch{3});
    const auto first = here.heard<wire::operation>("a:1");
    wire::operation_result done;
    done.request = first.request;
    done.index = log_index{7};
    done.epoch = epoch{3};
    client::failover& client = here.client();
    client.heard(here.now(), client.followed().value(), done);

    client::failover_output output;
    client.take_pending(output);
    CHECK(output.send.empty());
    REQUIRE(output.news.size() == 1);
    CHECK(std::get<client::ended_errand>(output.news.front()).answer.index == log_index{7});

    REQUIRE(client.write(here.body("2"), here.now() + 30s));
    client.take_output(here.now(), output);
    CHECK(output.news.empty()); // It is told once.
    REQUIRE(output.send.size() == 1);
    const auto& second = std::get<wire::operation>(output.send.front().message);
    CHECK(second.seq == first.seq.next());
    CHECK(output.wake > here.now());
}
