#include "unit/client/three_servers.hpp"
#include "wire/client_limits.hpp"

#include <chrono>
#include <string>

// What becomes of what is asked.
using namespace almenara;
using namespace std::chrono_literals;
using client::answer;
using test::failover_stand;
using test::three;
using wire::result_code;

TEST_CASE("C.1: the login opens the session by a nonce, in the same round trip") {
    failover_stand here{three()};
    const auto op = here.put("k");
    here.welcome("a:1", "a:1", epoch{3});
    const auto who = here.heard<wire::login>("a:1");
    CHECK(who.user == "anna");
    REQUIRE(who.nonce);
    CHECK(*who.nonce != open_nonce{});
    here.log_in("a:1", epoch{3});
    CHECK(here.heard<wire::attach>("a:1").session == here.session);
    CHECK(here.heard_all<wire::operation>("a:1").empty());
    here.attach("a:1", epoch{3});
    const auto sent = here.heard<wire::operation>("a:1");
    CHECK(sent.seq == sequence{1});
    CHECK(sent.first_unacked == sequence{1});
    CHECK(sent.session == here.session);
    CHECK(sent.epoch_seen == epoch{3});
    CHECK(sent.deadline == 30s);
    here.confirm("a:1", sent, log_index{8});
    REQUIRE(here.answer(op));
    CHECK(here.answer(op)->code == result_code::ok);
    CHECK(here.answer(op)->index == log_index{8});
    CHECK(here.answer(op)->session == here.session);
    CHECK(here.answer(op)->seq == sequence{1});
}

TEST_CASE("C.1: the opening is tried again with the same nonce") {
    failover_stand here{three()};
    here.put("k");
    here.welcome("a:1", "a:1", epoch{3});
    const auto first = here.heard<wire::login>("a:1");
    here.cut("a:1");
    here.pass(1ms);
    here.pass(25ms);
    here.welcome("b:2", "b:2", epoch{4});
    CHECK(here.heard<wire::login>("b:2").nonce == first.nonce);
}

TEST_CASE("C.1: who only reads opens no session") {
    failover_stand here{three()};
    const auto question = here.get();
    here.welcome("a:1", "a:1", epoch{3});
    CHECK_FALSE(here.heard<wire::login>("a:1").nonce);
    here.log_in("a:1", epoch{3});
    wire::read_result found;
    found.request = here.heard<wire::read>("a:1").request;
    found.code = result_code::not_found;
    found.index = log_index{7};
    here.say("a:1", found);
    CHECK(here.answer(question)->code == result_code::not_found);
    here.get();
    CHECK(here.heard<wire::read>("a:1").last_seen == log_index{7});
}

TEST_CASE("C.1: an operation keeps its number until its result, wherever it goes") {
    failover_stand here{three()};
    const auto first = here.put("1");
    const auto second = here.put("2");
    here.serve("a:1", epoch{3});
    const auto sent = here.heard_all<wire::operation>("a:1");
    REQUIRE(sent.size() == 2);
    here.confirm("a:1", sent[0], log_index{8});
    CHECK(here.answer(first));
    here.put("3");
    CHECK(here.heard<wire::operation>("a:1").first_unacked == sequence{2});
    here.cut("a:1");
    here.pass(25ms);
    here.welcome("b:2", "b:2", epoch{4});
    here.log_in("b:2", epoch{4});
    CHECK(here.heard<wire::attach>("b:2").next == sequence{4});
    CHECK(here.heard<wire::attach>("b:2").first_unacked == sequence{2});
    CHECK(here.heard<wire::attach>("b:2").last_seen == log_index{8});
    here.attach("b:2", epoch{4});
    const auto again = here.heard_all<wire::operation>("b:2");
    REQUIRE(again.size() == 2);
    CHECK(again[0].seq == sequence{2});
    CHECK(again[0].body == sent[1].body);
    CHECK(again[1].seq == sequence{3});
    CHECK_FALSE(here.answer(second));
    here.confirm("b:2", again[0], log_index{9});
    CHECK(here.answer(second)->code == result_code::ok);
}

TEST_CASE("C.1: what is unknown when the session expires is uncertain and never sent again") {
    failover_stand here{three()};
    const auto sent = here.put("1");
    here.serve("a:1", epoch{3});
    const auto first_nonce = here.heard<wire::login>("a:1").nonce;
    here.cut("a:1");
    const auto unsent = here.put("2");
    here.pass(25ms);
    here.welcome("b:2", "b:2", epoch{4});
    here.log_in("b:2", epoch{4});
    here.decline("b:2", here.heard<wire::attach>("b:2").request, result_code::session_expired);
    CHECK(here.answer(sent)->code == result_code::uncertain);
    CHECK(here.answer(unsent)->code == result_code::cancelled);
    here.put("3");
    here.pass(200ms);
    here.welcome("a:1", "a:1", epoch{5});
    CHECK(here.heard<wire::login>("a:1").nonce != first_nonce);
    here.log_in("a:1", epoch{5});
    here.attach("a:1", epoch{5});
    const auto only = here.heard_all<wire::operation>("a:1");
    REQUIRE(only.size() == 1);
    CHECK(only[0].seq == sequence{1});
    CHECK(only[0].body == failover_stand::body("3"));
}

TEST_CASE("C.1: a session is closed behind everything that was asked before") {
    failover_stand here{three()};
    here.put("1");
    here.serve("a:1", epoch{3});
    const auto close = here.client().close_session(here.now() + 5s);
    REQUIRE(close);
    here.turn();
    CHECK(here.heard_all<wire::session_close>("a:1").empty());
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{8});
    const auto asked = here.heard<wire::session_close>("a:1");
    CHECK(asked.session == here.session);
    wire::session_closed closed;
    closed.request = asked.request;
    closed.session = asked.session;
    closed.epoch = epoch{3};
    closed.index = log_index{9};
    here.say("a:1", closed);
    CHECK(here.answer(*close)->index == log_index{9});
    CHECK_FALSE(here.client().session());
    CHECK(here.told<client::primary_lost>().empty());
}

TEST_CASE("C.3: a deadline ends what was sent as uncertain, what was not and reads as cancelled") {
    failover_stand here{three()};
    const auto sent = here.put("1", 2s);
    here.serve("a:1", epoch{3});
    here.cut("a:1");
    const auto unsent = here.put("2", 2s);
    const auto question = here.get(2s);
    here.pass(1900ms);
    CHECK_FALSE(here.answer(sent));
    here.pass(200ms);
    CHECK(here.answer(sent)->code == result_code::uncertain);
    REQUIRE(here.answer(unsent)->code == result_code::cancelled);
    CHECK(here.answer(unsent)->trouble);
    CHECK(here.answer(question)->code == result_code::cancelled);
}

TEST_CASE("C.3: the answer to what was given up changes nothing") {
    failover_stand here{three()};
    const auto op = here.put("1", 1s);
    here.serve("a:1", epoch{3});
    const auto sent = here.heard<wire::operation>("a:1");
    here.pass(1s);
    CHECK(here.answer(op)->code == result_code::uncertain);
    here.confirm("a:1", sent, log_index{8});
    CHECK(here.told<client::ended_errand>().size() == 1);
    here.put("2");
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{2});
    CHECK(here.heard<wire::operation>("a:1").first_unacked == sequence{2});
}

TEST_CASE("C.3: what is cancelled says whether it may have happened, and the client goes on") {
    failover_stand here{three()};
    const auto cancelled = [&](client::ticket op) {
        here.client().cancel(op);
        here.turn();
        return here.answer(op)->code;
    };
    const auto early = here.put("1");
    CHECK(cancelled(early) == result_code::cancelled);
    const auto sent = here.put("2");
    const auto question = here.get(30s);
    here.serve("a:1", epoch{3});
    const auto request = here.heard<wire::operation>("a:1");
    CHECK(cancelled(sent) == result_code::uncertain);
    CHECK(cancelled(question) == result_code::cancelled);
    here.client().cancel(sent); // It has ended.
    here.confirm("a:1", request, log_index{8});
    CHECK(here.told<client::ended_errand>().size() == 3);
    const auto refused = here.put("3");
    here.decline("a:1", here.heard<wire::operation>("a:1").request, result_code::busy);
    CHECK(cancelled(refused) == result_code::cancelled);
    const auto next = here.put("4");
    const auto last = here.heard<wire::operation>("a:1");
    CHECK(last.first_unacked == last.seq);
    here.confirm("a:1", last, log_index{9});
    CHECK(here.answer(next)->code == result_code::ok);
    CHECK(here.has_link("a:1"));
}

TEST_CASE("C.3: at most 1000 operations or 64 MiB are held") {
    failover_stand here{three()};
    SECTION("operations") {
        for (int i = 0; i < 1000; ++i) {
            REQUIRE(here.client().write({}, here.now() + 30s));
        }
        const auto one_more = here.client().read({}, wire::read_mode::quorum, here.now() + 30s);
        REQUIRE_FALSE(one_more);
        CHECK(one_more.error().kind == client::failure_kind::busy);
    }
    SECTION("bytes") {
        const base::byte_vector large(std::size_t{1} << 20U);
        for (int i = 0; i < 64; ++i) {
            REQUIRE(here.client().write(large, here.now() + 30s));
        }
        const auto one_more = here.client().write({std::byte{1}}, here.now() + 30s);
        REQUIRE_FALSE(one_more);
        here.pass(30s);
        CHECK(here.client().write({std::byte{1}}, here.now() + 30s));
    }
}

TEST_CASE("B.13: 64 operations of a session are in flight, and no more than its window") {
    failover_stand here{three()};
    for (int i = 0; i < 100; ++i) {
        here.put("k");
    }
    here.serve("a:1", epoch{3});
    const auto sent = here.heard_all<wire::operation>("a:1");
    REQUIRE(sent.size() == 64);
    here.confirm("a:1", sent[0], log_index{8});
    CHECK(here.heard_all<wire::operation>("a:1").size() == 65);
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{65});
}

TEST_CASE("B.13: of any number of operations so many are in flight as the server takes") {
    failover_stand here{three()};
    for (int i = 0; i < 500; ++i) {
        here.get();
        here.put("k");
    }
    here.serve("a:1", epoch{3});
    const auto reads = here.heard_all<wire::read>("a:1");
    const auto writes = here.heard_all<wire::operation>("a:1");
    CHECK(writes.size() == 64);
    CHECK(reads.size() + writes.size() < wire::most_unanswered_requests);
    REQUIRE(reads.size() > 64);
    wire::read_result found;
    found.request = reads[0].request;
    found.index = log_index{8};
    found.epoch = epoch{3};
    here.say("a:1", found);
    CHECK(here.heard_all<wire::read>("a:1").size() == reads.size() + 1);

    // What comes back has left its place.
    here.decline("a:1", reads[1].request, result_code::busy);
    CHECK(here.heard_all<wire::read>("a:1").size() == reads.size() + 2);
}

TEST_CASE("C.1: nothing is sent whose result the session has no place for") {
    failover_stand here{three()};
    for (int i = 0; i < 400; ++i) {
        here.put("k");
    }
    here.serve("a:1", epoch{3});
    // The first one stays unanswered: its place and those behind it are kept.
    for (std::size_t i = 1; i < here.heard_all<wire::operation>("a:1").size(); ++i) {
        here.confirm("a:1", here.heard_all<wire::operation>("a:1")[i], log_index{8 + i});
    }
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{256});
}

TEST_CASE("B.5.2: what is refused as BUSY is asked again, and ends so when the time is up") {
    failover_stand here{three()};
    const auto op = here.put("1", 1s);
    here.serve("a:1", epoch{3});
    const auto first = here.heard<wire::operation>("a:1");
    here.decline("a:1", first.request, result_code::busy);
    CHECK(here.heard_all<wire::operation>("a:1").size() == 1);
    here.pass(200ms);
    REQUIRE(here.heard_all<wire::operation>("a:1").size() == 2);
    const auto second = here.heard<wire::operation>("a:1");
    CHECK(second.seq == first.seq);
    SECTION("and then it is done") {
        here.confirm("a:1", second, log_index{8});
        CHECK(here.answer(op)->code == result_code::ok);
    }
    SECTION("until the end") {
        here.pass(790ms); // No answer to the newest attempt is no refusal.
        here.decline("a:1", second.request, result_code::busy);
        here.pass(10ms);
        CHECK(here.answer(op)->code == result_code::busy);
        CHECK(here.answer(op)->why == "the server is busy: not now");
    }
}

TEST_CASE("C.0: RETRY_ELSEWHERE does not mean that it did not happen") {
    failover_stand here{three()};
    const auto op = here.put("1", 2s);
    here.serve("a:1", epoch{3});
    here.decline("a:1", here.heard<wire::operation>("a:1").request, result_code::retry_elsewhere);
    CHECK_FALSE(here.answer(op));
    here.pass(2s);
    CHECK(here.answer(op)->code == result_code::uncertain);
}

TEST_CASE("C.0: a refusal that names no entry is an answer, once the primary gives it") {
    failover_stand here{three()};
    const auto op = here.put("1");
    here.serve("a:1", epoch{3});
    here.decline("a:1", here.heard<wire::operation>("a:1").request, result_code::no_space);
    CHECK(here.answer(op)->code == result_code::no_space);
    CHECK(here.answer(op)->index == log_index{});
}

TEST_CASE("C.1: who is refused at the login hears it, and is not asked for again and again") {
    failover_stand here{three()};
    const auto op = here.put("1");
    here.welcome("a:1", "a:1", epoch{3});
    here.decline("a:1", here.heard<wire::login>("a:1").request, result_code::unauthenticated);
    CHECK(here.answer(op)->code == result_code::unauthenticated);
    here.pass(500ms);
    CHECK(here.heard_all<wire::login>("a:1").size() == 1);
}

TEST_CASE("I19: a server that attaches in an older epoch is not used") {
    failover_stand here{three()};
    here.put("1");
    here.welcome("a:1", "a:1", epoch{5});
    here.log_in("a:1", epoch{5});
    here.attach("a:1", epoch{4});
    CHECK(here.heard_all<wire::operation>("a:1").empty());
}

TEST_CASE("a transfer is sent at most once, unless the server that was asked passes it on") {
    failover_stand here{three()};
    const auto op = here.client().administer({}, here.now() + 5s);
    REQUIRE(op);
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    SECTION("lost") {
        CHECK(here.heard_all<wire::admin>("a:1").size() == 1);
        here.cut("a:1");
        CHECK(here.answer(*op)->code == result_code::uncertain);
    }
    SECTION("passed on") {
        here.say("a:1", test::naming<wire::redirect>(here.heard<wire::admin>("a:1").request, "b:2",
                                                     epoch{4}));
        here.pass(20ms);
        here.welcome("b:2", "b:2", epoch{4});
        here.log_in("b:2", epoch{4});
        wire::admin_result done;
        done.request = here.heard<wire::admin>("b:2").request;
        done.text = "done";
        here.say("b:2", done);
        CHECK(here.answer(*op)->code == result_code::ok);
        CHECK(here.answer(*op)->why == "done");
    }
}
