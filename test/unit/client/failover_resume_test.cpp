#include "unit/client/failover_stand.hpp"

#include <chrono>
#include <string>
#include <utility>

using namespace almenara;
using namespace std::chrono_literals;
using test::failover_stand;
using wire::result_code;

namespace {

const cluster_id ours{{std::byte{0x3f}, std::byte{0x2a}}};
const cluster_id another{{std::byte{0x77}, std::byte{0xab}}};
const session_id kept_session{{std::byte{0x6f}}};
const device_nonce device{{std::byte{0xde}}};

client::failover_options options() {
    client::failover_options what{.servers = {"a:1"}, .user = "anna", .client_name = "test 1"};
    what.keeps_state = true;
    return what;
}

client::failover_options without_journal() {
    auto what = options();
    what.journal = false;
    return what;
}

client::known_cluster known() {
    client::known_cluster what;
    what.id = ours;
    what.seen = epoch{3};
    what.config = log_index{5};
    what.members = {failover_stand::member("a:1"), failover_stand::member("b:2"),
                    failover_stand::member("c:3")};
    what.names = {"a:1"};
    return what;
}

client::failover_options with_hint() {
    auto what = options();
    what.hint = known();
    what.must_find_somebody = true;
    return what;
}

client::recollection nothing_yet() {
    client::recollection what;
    what.device = device;
    return what;
}

/// Operations 4 and 6 were sent by an earlier run, perhaps.
client::recollection two_open() {
    client::recollection what = nothing_yet();
    what.session =
        client::kept_session{.session = kept_session,
                             .window = 256,
                             .next = sequence{7},
                             .open = {{.seq = sequence{4}, .body = failover_stand::body("old 4")},
                                      {.seq = sequence{6}, .body = failover_stand::body("old 6")}}};
    return what;
}

client::recollection none_open() {
    client::recollection what = two_open();
    what.session->open.clear();
    return what;
}

struct remembering : failover_stand {
    explicit remembering(client::recollection what, client::failover_options how = options())
        : failover_stand(std::move(how)) {
        cluster = ours;
        memory = std::move(what);
    }
};

} // namespace

TEST_CASE("C.1: who keeps state logs in when it is known what is kept, with the same device") {
    remembering here{nothing_yet()};
    here.memory.reset();
    here.put("k");
    here.welcome("a:1", "a:1", epoch{3});
    REQUIRE(here.told<client::entered_cluster>().size() == 1);
    CHECK(here.told<client::entered_cluster>()[0].cluster == ours);
    CHECK(here.heard_all<wire::login>("a:1").empty());
    here.client().remember(nothing_yet());
    here.turn();
    CHECK(here.heard<wire::login>("a:1").device == device);
    CHECK(here.heard<wire::login>("a:1").nonce);
}

TEST_CASE("C.3: an operation is kept before it is sent, and forgotten when it is answered") {
    remembering here{nothing_yet()};
    here.keeps = false;
    const auto op = here.put("k");
    here.serve("a:1", epoch{3});
    REQUIRE(here.ordered<client::keep_session>().size() == 1);
    CHECK(here.ordered<client::keep_session>()[0].session == here.session);
    CHECK(here.ordered<client::keep_session>()[0].window == 256);
    CHECK(here.ordered<client::keep_session>()[0].next == sequence{1});
    CHECK(here.ordered<client::keep_operation>().empty());
    here.client().session_kept();
    here.turn();
    REQUIRE(here.ordered<client::keep_operation>().size() == 1);
    CHECK(here.ordered<client::keep_operation>()[0].what.seq == sequence{1});
    CHECK(here.ordered<client::keep_operation>()[0].what.body == failover_stand::body("k"));
    CHECK(here.heard_all<wire::operation>("a:1").empty());
    here.client().operation_kept(sequence{1});
    here.turn();
    const auto sent = here.heard<wire::operation>("a:1");
    CHECK(here.ordered<client::forget_operation>().empty());
    here.confirm("a:1", sent, log_index{8});
    CHECK(here.answer(op)->code == result_code::ok);
    REQUIRE(here.ordered<client::forget_operation>().size() == 1);
    CHECK(here.ordered<client::forget_operation>()[0].seq == sequence{1});
}

TEST_CASE("C.3: a small operation does not overtake a large one that has no room yet") {
    remembering here{nothing_yet()};
    const auto ask = [&](std::size_t size) {
        REQUIRE(here.client().write(base::byte_vector(size), here.now() + 30s));
    };
    constexpr std::size_t large = std::size_t{512} << 10U;
    const std::size_t fit = client::errands::most_in_flight_bytes / large;
    for (std::size_t i = 0; i < fit; ++i) {
        ask(large - 100);
    }
    here.serve("a:1", epoch{3});
    const auto sent = here.heard_all<wire::operation>("a:1");
    REQUIRE(sent.size() == fit);

    ask(large);
    ask(10);
    here.turn();
    CHECK(here.heard_all<wire::operation>("a:1").size() == fit);
    // A file whose records are not in their order is given up by the next run (C.1).
    CHECK(here.ordered<client::keep_operation>().size() == fit);

    here.confirm("a:1", sent.front(), log_index{8});
    REQUIRE(here.heard_all<wire::operation>("a:1").size() == fit + 2);
    const auto kept = here.ordered<client::keep_operation>();
    REQUIRE(kept.size() == fit + 2);
    CHECK(kept[fit].what.seq == sequence{fit + 1});
    CHECK(kept[fit + 1].what.seq == sequence{fit + 2});
}

TEST_CASE("C.3: what cannot be kept is refused before it is sent") {
    remembering here{nothing_yet()};
    const auto first = here.put("1");
    here.serve("a:1", epoch{3});
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{8});
    CHECK(here.answer(first)->code == result_code::ok);
    here.full_disk = client::failure{client::failure_kind::not_kept, "the disk is full"};
    const auto refused = here.put("2");
    REQUIRE(here.answer(refused));
    CHECK(here.answer(refused)->code == result_code::cancelled);
    CHECK(here.answer(refused)->trouble->kind == client::failure_kind::not_kept);
    CHECK(here.heard_all<wire::operation>("a:1").size() == 1);
    here.full_disk.reset();
    const auto later = here.put("3");
    CHECK(here.heard<wire::operation>("a:1").body == failover_stand::body("3"));
    here.confirm("a:1", here.heard<wire::operation>("a:1"), log_index{9});
    CHECK(here.answer(later)->code == result_code::ok);
}

TEST_CASE("C.3: a session that cannot be kept is not used, and tried again with the next write") {
    remembering here{nothing_yet()};
    here.full_disk = client::failure{client::failure_kind::not_kept, "the disk is full"};
    const auto refused = here.put("1");
    here.serve("a:1", epoch{3});
    CHECK(here.answer(refused)->code == result_code::cancelled);
    here.full_disk.reset();
    here.put("2");
    CHECK(here.heard<wire::operation>("a:1").body == failover_stand::body("2"));
}

TEST_CASE("C.3: when nothing can be kept writes are refused, and reads go on") {
    client::recollection what;
    what.trouble = client::failure{client::failure_kind::not_kept, "there is no home directory"};
    remembering here{what};
    const auto write = here.put("1");
    const auto read = here.get();
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    REQUIRE(here.answer(write));
    CHECK(here.answer(write)->code == result_code::cancelled);
    CHECK(here.answer(write)->trouble->why == "there is no home directory");
    wire::read_result found;
    found.request = here.heard<wire::read>("a:1").request;
    found.index = log_index{7};
    found.epoch = epoch{3};
    here.say("a:1", found);
    CHECK(here.answer(read)->code == result_code::ok);
    CHECK(here.kept.empty());
}

TEST_CASE("C.3: what an earlier run has sent is sent again first, under its numbers") {
    remembering here{two_open()};
    const auto fresh = here.put("new");
    const auto read = here.get();
    here.welcome("a:1", "a:1", epoch{3});
    CHECK_FALSE(here.heard<wire::login>("a:1").nonce);
    here.log_in("a:1", epoch{3});
    CHECK(here.heard_all<wire::read>("a:1").empty());
    const auto attach = here.heard<wire::attach>("a:1");
    CHECK(attach.session == kept_session);
    CHECK(attach.first_unacked == sequence{4});
    CHECK(attach.next == sequence{8});
    here.attach("a:1", epoch{3}, sequence{4});
    const auto sent = here.heard_all<wire::operation>("a:1");
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].seq == sequence{4});
    CHECK(sent[0].body == failover_stand::body("old 4"));
    CHECK(sent[0].deadline == 0ms);
    CHECK(sent[1].seq == sequence{6});
    CHECK(sent[1].first_unacked == sequence{4});
    CHECK(sent[2].seq == sequence{7});
    CHECK(sent[2].body == failover_stand::body("new"));
    REQUIRE(here.ordered<client::keep_operation>().size() == 1);
    CHECK(here.ordered<client::keep_operation>()[0].what.seq == sequence{7});
    CHECK(here.heard_all<wire::read>("a:1").empty());

    here.confirm("a:1", sent[0], log_index{8});
    here.confirm("a:1", sent[2], log_index{9});
    const auto told = here.told<client::resumed>();
    REQUIRE(told.size() == 1);
    CHECK(told[0].seq == sequence{4});
    CHECK(told[0].body == failover_stand::body("old 4"));
    CHECK(told[0].answer.code == result_code::ok);
    CHECK(told[0].answer.index == log_index{8});
    CHECK(here.answer(fresh)->seq == sequence{7});
    CHECK(here.heard_all<wire::read>("a:1").empty());
    here.confirm("a:1", sent[1], log_index{10});
    CHECK(here.heard_all<wire::read>("a:1").size() == 1);
    CHECK_FALSE(here.answer(read));
    const auto ended = here.ordered<client::forget_operation>();
    REQUIRE(ended.size() == 3);
    CHECK(ended[0].seq == sequence{4});
    CHECK(ended[1].seq == sequence{7});
    CHECK(ended[2].seq == sequence{6});
}

TEST_CASE("C.3: what an earlier run has sent has no deadline, and stays for the next run") {
    remembering here{two_open()};
    here.put("new", 1s);
    here.serve("a:1", epoch{3});
    here.pass(2s);
    CHECK(here.told<client::resumed>().empty());
    here.client().leave(here.now());
    here.turn();
    const auto told = here.told<client::resumed>();
    REQUIRE(told.size() == 2);
    CHECK(told[1].seq == sequence{6});
    CHECK(told[1].answer.code == result_code::uncertain);
    for (const auto& each : here.ordered<client::forget_operation>()) {
        CHECK(each.seq == sequence{7});
    }
}

TEST_CASE("C.3: it is sent again to the next primary too, in its order") {
    remembering here{two_open()};
    here.members = known().members;
    here.config = log_index{5};
    here.put("new");
    here.serve("a:1", epoch{3});
    here.cut("a:1");
    here.pass(25ms);
    here.welcome("b:2", "b:2", epoch{4});
    here.log_in("b:2", epoch{4});
    here.attach("b:2", epoch{4});
    const auto sent = here.heard_all<wire::operation>("b:2");
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].seq == sequence{4});
    CHECK(sent[1].seq == sequence{6});
    CHECK(sent[2].seq == sequence{7});
}

TEST_CASE("C.1: a kept session is attached only when it is needed") {
    remembering here{none_open()};
    const auto read = here.get();
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    CHECK(here.heard_all<wire::read>("a:1").size() == 1);
    CHECK(here.heard_all<wire::attach>("a:1").empty());
    CHECK_FALSE(here.answer(read));
    here.put("k");
    CHECK(here.heard<wire::attach>("a:1").session == kept_session);
    here.attach("a:1", epoch{3}, sequence{6});
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{7});
}

TEST_CASE("C.1: when a kept session has expired, what was open is uncertain and never sent again") {
    remembering here{two_open()};
    const auto fresh = here.put("new");
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    here.decline("a:1", here.heard<wire::attach>("a:1").request, result_code::session_expired);
    const auto told = here.told<client::resumed>();
    REQUIRE(told.size() == 2);
    CHECK(told[0].seq == sequence{4});
    CHECK(told[0].answer.code == result_code::uncertain);
    CHECK(told[0].answer.why == "the session has expired");
    REQUIRE(here.ordered<client::forget_session>().size() == 1);
    CHECK(here.ordered<client::forget_session>()[0].session == kept_session);
    // What was asked in this run was never sent, and goes to the next session.
    CHECK_FALSE(here.answer(fresh));
    here.pass(200ms);
    here.welcome("a:1", "a:1", epoch{3});
    CHECK(here.heard<wire::login>("a:1").nonce);
    here.log_in("a:1", epoch{3});
    CHECK(here.ordered<client::keep_session>()[0].session == here.session);
    here.attach("a:1", epoch{3});
    const auto sent = here.heard_all<wire::operation>("a:1");
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].seq == sequence{1});
    CHECK(sent[0].session == here.session);
    CHECK(sent[0].body == failover_stand::body("new"));
}

TEST_CASE("C.1: a file that is older than its session is given up, for its numbers were used") {
    remembering here{two_open()};
    const auto fresh = here.put("new");
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    here.attach("a:1", epoch{3}, sequence{7});
    CHECK(here.told<client::resumed>().size() == 2);
    CHECK(here.told<client::resumed>()[0].answer.code == result_code::uncertain);
    CHECK(here.ordered<client::forget_session>().size() == 1);
    CHECK_FALSE(here.answer(fresh));
    here.pass(200ms);
    here.serve("a:1", epoch{3});
    CHECK(here.heard<wire::operation>("a:1").session == here.session);
}

TEST_CASE(
    "C.1: a session that somebody else has used meanwhile, with a copy of the file, is given up") {
    remembering here{none_open()};
    const auto mine = here.put("mine");
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    here.attach("a:1", epoch{3}, sequence{6});
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{7});
    here.cut("a:1");
    here.pass(100ms);
    // Number 7 may be this client's own; 8 nobody here has sent.
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    here.attach("a:1", epoch{3}, sequence{8});
    REQUIRE(here.answer(mine));
    CHECK(here.answer(mine)->code == result_code::uncertain);
    CHECK(here.ordered<client::forget_session>().size() == 1);
}

TEST_CASE("C.2: who does not say that it belongs to the cluster says nothing of its epochs") {
    remembering here{none_open()};
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    here.cut("a:1");
    here.pass(100ms);
    here.cluster.reset();
    here.welcome("a:1", "a:1", epoch{1'000'000});
    CHECK(here.client().epoch_seen() == epoch{3});
}

TEST_CASE("C.3: what stood in a file that is damaged is told as unknown") {
    client::recollection what = nothing_yet();
    what.lost = {{.seq = sequence{3}, .body = failover_stand::body("lost")}};
    remembering here{what};
    here.get();
    here.welcome("a:1", "a:1", epoch{3});
    REQUIRE(here.told<client::resumed>().size() == 1);
    CHECK(here.told<client::resumed>()[0].answer.code == result_code::uncertain);
}

TEST_CASE("C.1: without a journal numbers are kept before they are used, many at once") {
    remembering here{none_open(), without_journal()};
    here.keeps = false;
    here.put("k");
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    here.attach("a:1", epoch{3});
    CHECK(here.heard_all<wire::operation>("a:1").empty());
    REQUIRE(here.ordered<client::keep_numbers>().size() == 1);
    CHECK(here.ordered<client::keep_numbers>()[0].upto == sequence{7 + 256});
    here.client().numbers_kept(sequence{7 + 256});
    here.turn();
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{7});
    here.put("l");
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{8});
    CHECK(here.ordered<client::keep_numbers>().size() == 1);
    CHECK(here.ordered<client::keep_operation>().empty());
}

TEST_CASE("C.3: a new session without a journal begins behind the numbers that it may use") {
    remembering here{nothing_yet(), without_journal()};
    here.put("k");
    here.serve("a:1", epoch{3});
    CHECK(here.ordered<client::keep_session>()[0].next == sequence{257});
    CHECK(here.heard<wire::operation>("a:1").seq == sequence{1});
    CHECK(here.ordered<client::keep_numbers>().empty());
}

TEST_CASE("C.1: a session that is closed is forgotten, and another one can be taken") {
    remembering here{none_open()};
    const auto close = here.client().close_session(here.now() + 5s);
    here.turn();
    here.welcome("a:1", "a:1", epoch{3});
    here.log_in("a:1", epoch{3});
    here.attach("a:1", epoch{3}, sequence{6});
    wire::session_closed closed;
    closed.request = here.heard<wire::session_close>("a:1").request;
    closed.session = kept_session;
    closed.epoch = epoch{3};
    here.say("a:1", closed);
    CHECK(here.answer(*close)->code == result_code::ok);
    REQUIRE(here.ordered<client::forget_session>().size() == 1);
    CHECK_FALSE(here.client().session());
    here.client().resume({.session = here.session, .window = 256, .next = sequence{2}, .open = {}});
    CHECK(here.client().session() == here.session);
}

// -- Which cluster it is --------------------------------------------------------------------------

TEST_CASE("C.3: one start address is enough, and it may be dead the next time") {
    remembering here{nothing_yet(), with_hint()};
    const auto op = here.put("k");
    CHECK(here.dials().size() == 1);
    here.refuse("a:1");
    CHECK_FALSE(here.answer(op));
    here.pass(15ms);
    REQUIRE(here.has_link("b:2"));
    here.serve("b:2", epoch{4});
    CHECK(here.heard_all<wire::operation>("b:2").size() == 1);
}

TEST_CASE("C.3: who was named and says nothing is not waited for for long") {
    remembering here{nothing_yet(), with_hint()};
    here.put("k");
    here.accept("a:1");
    here.pass(240ms);
    CHECK(here.dials().size() == 1);
    here.pass(30ms);
    CHECK(here.has_link("b:2"));
    CHECK(here.has_link("c:3"));
}

TEST_CASE("C.3: a cluster that was founded anew at the same address is no question") {
    auto how = with_hint();
    how.hint->config = log_index{500};
    remembering here{nothing_yet(), how};
    here.cluster = another;
    here.config = log_index{1};
    here.members = {failover_stand::member("a:1"), failover_stand::member("d:4")};
    here.put("k");
    here.pass(300ms);
    CHECK(here.has_link("b:2"));
    here.serve("a:1", epoch{2});
    CHECK(here.told<client::entered_cluster>()[0].cluster == another);
    CHECK(here.heard_all<wire::operation>("a:1").size() == 1);
    CHECK_FALSE(here.has_link("b:2"));
    CHECK(here.told<client::stranger>().empty());
    const auto kept = here.ordered<client::keep_cluster>();
    REQUIRE_FALSE(kept.empty());
    CHECK(kept.back().what.id == another);
    CHECK(kept.back().what.config == log_index{1});
    CHECK(kept.back().what.members == here.members);
}

TEST_CASE("C.3: a server at a known address that belongs to another cluster now is not asked") {
    remembering here{nothing_yet(), with_hint()};
    const auto op = here.put("k");
    here.refuse("a:1");
    here.pass(15ms);
    here.cluster = another;
    here.welcome("b:2", "b:2", epoch{9});
    CHECK_FALSE(here.has_link("b:2"));
    CHECK(here.told<client::entered_cluster>().empty());
    CHECK(here.told<client::stranger>().empty());
    here.cluster = ours;
    here.pass(15ms);
    here.serve("c:3", epoch{4});
    CHECK(here.heard_all<wire::operation>("c:3").size() == 1);
    CHECK_FALSE(here.answer(op));
}

TEST_CASE("C.3: a named server of another cluster is told, and not asked") {
    auto how = options();
    how.servers = {"a:1", "b:2"};
    remembering here{nothing_yet(), how};
    here.put("k");
    here.pass(25ms);
    here.welcome("a:1", std::nullopt, epoch{3});
    here.cluster = another;
    here.welcome("b:2", "b:2", epoch{9});
    const auto told = here.told<client::stranger>();
    REQUIRE(told.size() == 1);
    CHECK(told[0].why.kind == client::failure_kind::other_cluster);
    CHECK(told[0].why.why ==
          "b:2 belongs to cluster 77ab0000…, not to 3f2a0000…, which a:1 belongs to");
    CHECK_FALSE(here.has_link("b:2"));
    CHECK(here.client().epoch_seen() == epoch{});
    here.pass(5s);
    CHECK(here.dials_to("b:2") == 1);
}

TEST_CASE("C.3: who belonged to no cluster at first says to which it does before it is told more") {
    remembering here{nothing_yet()};
    here.cluster.reset();
    here.put("k");
    here.welcome("a:1", std::nullopt, epoch{});
    wire::primary_is told;
    told.request = here.heard<wire::whois>("a:1").request;
    told.epoch = epoch{2};
    told.primary = failover_stand::member("a:1");
    here.say("a:1", told);
    CHECK_FALSE(here.has_link("a:1"));
    here.cluster = ours;
    here.pass(200ms);
    here.serve("a:1", epoch{2});
    CHECK(here.heard_all<wire::operation>("a:1").size() == 1);
}

TEST_CASE("C.3: the server by which the cluster is entered may be nobody that was known of it") {
    remembering here{nothing_yet(), with_hint()};
    here.put("k");
    here.cluster.reset();
    here.welcome("a:1", "d:4", epoch{4});
    here.cluster = ours;
    here.config = log_index{6};
    here.members = {failover_stand::member("a:1"), failover_stand::member("d:4")};
    here.welcome("d:4", "d:4", epoch{4});
    CHECK(here.told<client::entered_cluster>().size() == 1);
    here.pass(300ms);
    here.serve("d:4", epoch{4});
    CHECK(here.heard_all<wire::operation>("d:4").size() == 1);
}

TEST_CASE("C.2: the newest epoch that was seen is kept, with the members and the names") {
    remembering here{nothing_yet()};
    here.members = known().members;
    here.config = log_index{5};
    here.put("k");
    here.serve("a:1", epoch{3});
    auto kept = here.ordered<client::keep_cluster>();
    REQUIRE_FALSE(kept.empty());
    CHECK(kept.back().what.seen == epoch{3});
    CHECK(kept.back().what.members == known().members);
    CHECK(kept.back().what.names == std::vector<std::string>{"a:1"});
    const std::size_t before = kept.size();
    here.cut("a:1");
    here.pass(25ms);
    // Whoever only says so may lie, and what is kept is believed for ever.
    here.welcome("b:2", "b:2", epoch{4});
    CHECK(here.ordered<client::keep_cluster>().size() == before);
    here.serve("b:2", epoch{4});
    kept = here.ordered<client::keep_cluster>();
    CHECK(kept.size() == before + 1);
    CHECK(kept.back().what.seen == epoch{4});
}

TEST_CASE("C.2: no primary is followed that is older than what an earlier run has seen") {
    auto memory = nothing_yet();
    memory.seen = epoch{6};
    remembering here{memory};
    here.put("k");
    here.welcome("a:1", "a:1", epoch{5});
    here.log_in("a:1", epoch{5});
    CHECK(here.heard_all<wire::operation>("a:1").empty());
    CHECK(here.heard_all<wire::attach>("a:1").empty());
    CHECK_FALSE(here.client().followed());
    CHECK(here.client().epoch_seen() == epoch{6});
}
