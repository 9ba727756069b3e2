#include "unit/client/failover_stand.hpp"
#include "wire/client_limits.hpp"

#include <chrono>
#include <string>

using namespace almenara;
using namespace std::chrono_literals;
using client::answer;
using client::source;
using test::failover_stand;
using wire::result_code;

namespace {

client::failover_options three() {
    return {.servers = {"a:1", "b:2", "c:3"},
            .user = "anna",
            .client_name = "test 1",
            .follow = client::all_ways_in_passing};
}

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

wire::primary_is primary_is(request_id request, const std::string& address, epoch at) {
    wire::primary_is told;
    told.request = request;
    told.epoch = at;
    told.primary = failover_stand::member(address);
    return told;
}

wire::redirect redirect(request_id request, const std::string& address, epoch at) {
    wire::redirect told;
    told.request = request;
    told.epoch = at;
    told.primary = failover_stand::member(address);
    return told;
}

wire::members members(const std::vector<std::string>& addresses,
                      const std::string& primary,
                      log_index config,
                      epoch at) {
    wire::members told;
    told.config_index = config;
    told.epoch = at;
    for (const std::string& address : addresses) {
        const auto role =
            address == primary ? wire::server_role::primary : wire::server_role::backup;
        told.servers.push_back({.id = failover_stand::server_of(address),
                                .addresses = {address},
                                .up = true,
                                .role = role});
    }
    return told;
}

} // namespace

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
    here.say("a:1", primary_is(here.heard<wire::whois>("a:1").request, "b:2", epoch{4}));
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
    here.say("b:2", primary_is(here.heard<wire::whois>("b:2").request, "c:3", epoch{4}));
    here.welcome("c:3", "c:3", epoch{4});
    CHECK(here.heard_all<wire::login>("c:3").empty());
}

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

TEST_CASE("C.3: a redirect is followed and says so") {
    failover_stand here{three()};
    here.put("1");
    here.pass(25ms);
    here.serve("a:1", epoch{3});
    here.say("a:1", redirect(here.heard<wire::operation>("a:1").request, "b:2", epoch{4}));
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
        here.say("a:1", redirect(here.heard<wire::operation>("a:1").request, "c:3", epoch{4}));
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
    here.say("a:1", redirect(here.heard<wire::operation>("a:1").request, "b:2", epoch{2}));
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
        here.say("a:1", redirect(request, "a:1", epoch{3}));
        here.say("a:1",
                 redirect(here.heard_all<wire::operation>("a:1").back().request, "a:1", epoch{3}));
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
        here.say("b:2", primary_is(here.heard<wire::whois>("b:2").request, "c:3", epoch{4}));
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
    here.say("b:2", primary_is(here.heard<wire::whois>("b:2").request, "a:1", epoch{3}));
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
    here.say("b:2", primary_is(here.heard<wire::whois>("b:2").request, "b:2", epoch{4}));
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
        here.say("a:1", redirect(here.heard<wire::admin>("a:1").request, "b:2", epoch{4}));
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
    here.say("a:1", primary_is(here.heard<wire::whois>("a:1").request, "b:2", epoch{3}));
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
    here.say("a:1", primary_is(here.heard<wire::whois>("a:1").request, "a:1", epoch{4}));
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
