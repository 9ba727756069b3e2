#include "unit/replica/stand.hpp"

#include <algorithm>

// B.2: who may speak, which of two connections counts, and when a server is CLOSED.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::one;
using test::stand;
using test::three;
using test::two;

bool was_closed(const stand& s, connection_id id) {
    return std::find(s.closed.begin(), s.closed.end(), id) != s.closed.end();
}

link_reject_code code_of_refusal(stand& s, const greeting& hello) {
    const connection_id id = s.accept(hello);
    CHECK(was_closed(s, id));
    return s.last_said<link_reject>(hello.server).code;
}

} // namespace

TEST_CASE("B.2: who dials says HELLO first, with its disk, its rank and its incarnation") {
    stand s{3};
    s.step(connection_opened{.connection = connection_id{9}, .kind = {}, .dialled = three});
    const auto said = s.last_said<hello>(three).from;
    CHECK(said.server == two);
    CHECK(said.uuid == test::disk_of(two));
    CHECK(said.cluster == cluster_of_list(test::cluster_of(3)));
    CHECK(said.rank == stand::rank(two, epoch{1}, log_index{1}));
    CHECK(said.role == role_name::backup);
    CHECK_FALSE(said.knows_primary);
}

TEST_CASE("B.2: a HELLO that fits is answered by HELLO_OK, and a link session begins") {
    stand s{3};
    s.open(three);
    const auto said = s.last_said<hello_ok>(three);
    CHECK(said.from.server == two);
    CHECK(said.from.session.dialler == s.greeting_of(three).incarnation);
    CHECK(s.session_of(three) == said.from.session);
    CHECK(s.closed.empty());
}

TEST_CASE("B.2: each link session has a name of its own") {
    stand s{3};
    s.open(three);
    const link_session first = s.session_of(three);
    s.close(three);
    s.open(three);
    CHECK(s.session_of(three) != first);
}

TEST_CASE("B.2: a HELLO of another protocol, cluster or member is refused") {
    stand s{3};
    greeting hello = s.greeting_of(three);
    SECTION("another protocol") {
        hello.protocol = link_protocol + 1;
        CHECK(code_of_refusal(s, hello) == link_reject_code::protocol);
    }
    SECTION("another cluster") {
        hello.cluster = cluster_id{};
        CHECK(code_of_refusal(s, hello) == link_reject_code::other_cluster);
    }
    SECTION("nobody of the config") {
        hello.server = server_id{77};
        CHECK(code_of_refusal(s, hello) == link_reject_code::unknown_server);
    }
    SECTION("the server itself") {
        hello.server = two;
        hello.uuid = test::disk_of(two);
        CHECK(code_of_refusal(s, hello) == link_reject_code::unknown_server);
    }
    CHECK_FALSE(s.peer(three).open);
}

TEST_CASE("B.11: a known id with another disk is refused, for it has forgotten its promises") {
    stand s{3};
    greeting wiped = s.greeting_of(three);
    wiped.uuid = test::disk_of(server_id{300});
    SECTION("with a log") {
        CHECK(code_of_refusal(s, wiped) == link_reject_code::other_disk);
    }
    SECTION("empty, as a new one") {
        wiped.cluster.reset();
        wiped.rank = {.last_epoch = {}, .last_index = {}, .id = three};
        wiped.role = role_name::boot;
        CHECK(code_of_refusal(s, wiped) == link_reject_code::other_disk);
    }
}

TEST_CASE("B.11: a second process of an id that spoke lately is DUPLICATE_ID") {
    stand s{3};
    s.open(three);
    greeting copy = s.greeting_of(three);
    copy.incarnation = incarnation{4242};
    const link_session before = s.session_of(three);
    CHECK(code_of_refusal(s, copy) == link_reject_code::duplicate_id);
    CHECK(s.session_of(three) == before);
    SECTION("and is taken when the first has been silent for suspect_timeout") {
        s.pass(401ms);
        s.accept(copy);
        CHECK(s.session_of(three).dialler == incarnation{4242});
    }
}

TEST_CASE("B.2: who was dialled must be who answers") {
    stand s{3};
    s.step(connection_opened{.connection = connection_id{9}, .kind = {}, .dialled = three});
    hello_ok ok{.from = s.greeting_of(one), .first = {}};
    ok.from.session.dialler = s.last_said<hello>(three).from.incarnation;
    s.say_on(connection_id{9}, ok, epoch{1});
    CHECK(was_closed(s, connection_id{9}));
    CHECK_FALSE(s.peer(one).open);
    CHECK_FALSE(s.peer(three).open);
}

TEST_CASE("B.2: whoever speaks before HELLO, or says it twice, is closed") {
    stand s{3};
    SECTION("before") {
        s.step(connection_opened{.connection = connection_id{9}, .kind = {}, .dialled = {}});
        s.say_on(connection_id{9}, link_ping{}, epoch{1});
        CHECK(was_closed(s, connection_id{9}));
    }
    SECTION("twice") {
        s.open(three);
        const connection_id id = s.control_of(three);
        s.say_on(id, hello{.from = s.greeting_of(three)}, epoch{1});
        CHECK(was_closed(s, id));
    }
    SECTION("never") {
        s.step(connection_opened{.connection = connection_id{9}, .kind = {}, .dialled = {}});
        s.run(1001ms);
        CHECK(was_closed(s, connection_id{9}));
    }
}

TEST_CASE("B.2: of two control connections the one that the higher id dialled stays") {
    stand s{3};
    SECTION("the peer is higher and was first") {
        s.open(three);
        const connection_id kept = s.control_of(three);
        const link_session session = s.session_of(three);
        const connection_id other = s.dialled(three);
        CHECK(was_closed(s, other));
        CHECK_FALSE(was_closed(s, kept));
        CHECK(s.session_of(three) == session);
        CHECK(s.sent.back().connection == other);
        CHECK(std::holds_alternative<reconnect>(s.sent.back().message));
    }
    SECTION("the peer is higher and comes second") {
        const connection_id first = s.dialled(three);
        s.open(three);
        CHECK(was_closed(s, first));
        CHECK(s.count<reconnect>(three) == 1);
    }
    SECTION("the peer is lower and comes second") {
        const connection_id first = s.dialled(one);
        const connection_id second = s.accept(s.greeting_of(one));
        CHECK(was_closed(s, second));
        CHECK_FALSE(was_closed(s, first));
    }
}

TEST_CASE(
    "B.2: which control connection counts is known to whoever carries more than the core says") {
    stand s{3};
    CHECK_FALSE(s.peer(three).control);
    const connection_id first = s.dialled(three);
    CHECK(s.peer(three).control == first);
    s.open(three);
    CHECK(s.peer(three).control == s.control_of(three));
    CHECK(s.peer(three).control != first);
    s.close(three);
    CHECK_FALSE(s.peer(three).control);
}

TEST_CASE("B.2: a control connection that is replaced is no CLOSED") {
    stand s{3};
    s.open(one);
    s.dialled(three);
    s.heartbeat(three, epoch{2});
    s.forget();
    s.open(three);
    CHECK(s.status().known_primary == three);
    CHECK(s.count<election>(one) == 0);
}

TEST_CASE("B.2: the end of the last control connection is CLOSED, and starts a round at once") {
    stand s{3};
    s.follow(three, epoch{2});
    s.close(three);
    CHECK(s.role() == role_name::prospect);
    CHECK(s.last_said<election>(one).reason == election_reason::closed);
}

TEST_CASE("B.2: after RECONNECT the end is not CLOSED, and SILENT judges") {
    stand s{3};
    s.follow(three, epoch{2});
    s.say(three, reconnect{}, epoch{2});
    s.close(three);
    CHECK(s.role() == role_name::backup);
    s.run(399ms);
    CHECK(s.role() == role_name::backup);
    s.run(2ms);
    CHECK(s.role() != role_name::backup);
    CHECK(s.last_said<election>(one).reason == election_reason::silent);
}

TEST_CASE("B.2: what comes on a connection that was replaced is not heard") {
    stand s{3};
    const connection_id old = s.dialled(three);
    s.open(three);
    s.say_on(old, heartbeat{.primary = three}, epoch{2});
    CHECK_FALSE(s.status().known_primary);
    CHECK(s.epoch_now() == epoch{1});
}

TEST_CASE("B.2: acks of an older link session count for nothing, match starts at 0 again") {
    stand s{3};
    s.rule();
    const log_index last = s.last().index;
    REQUIRE(s.peer(three).match == last);
    s.say(three, reconnect{}, s.epoch_now());
    s.close(three);
    s.open(three);
    CHECK(s.peer(three).match == log_index{0});
}

TEST_CASE("B.2: a bulk connection names the link session that it belongs to") {
    stand s{3};
    s.open(three);
    greeting bulk = s.greeting_of(three);
    bulk.kind = connection_kind::bulk;
    bulk.session = s.session_of(three);
    SECTION("the current one") {
        const connection_id id = s.accept(bulk);
        CHECK_FALSE(was_closed(s, id));
        CHECK(s.last_said<hello_ok>(three).from.kind == connection_kind::bulk);
    }
    SECTION("an older one") {
        ++bulk.session.counter;
        CHECK(code_of_refusal(s, bulk) == link_reject_code::old_session);
    }
    SECTION("it goes with its link session") {
        const connection_id id = s.accept(bulk);
        s.close(three);
        CHECK(was_closed(s, id));
    }
}

TEST_CASE("B.2: what does not belong on bulk closes it, and nothing else") {
    stand s{3};
    s.open(three);
    greeting bulk = s.greeting_of(three);
    bulk.kind = connection_kind::bulk;
    bulk.session = s.session_of(three);
    const connection_id id = s.accept(bulk);
    s.say_on(id, heartbeat{.primary = three}, epoch{2});
    CHECK(was_closed(s, id));
    CHECK(s.peer(three).open);
    CHECK(s.epoch_now() == epoch{1});
}

TEST_CASE("B.13: one dial at a time per peer, again and again, at most a second apart") {
    stand s{3};
    s.tick();
    REQUIRE(s.dials.size() == 2);
    s.run(3s);
    CHECK(s.dials.size() == 2);
    std::vector<instant> dialled;
    for (int i = 0; i < 8; ++i) {
        s.forget();
        s.step(dial_failed{.peer = three});
        REQUIRE(s.run_until([&] { return !s.dials.empty(); }));
        dialled.push_back(s.now().monotonic);
    }
    CHECK(dialled[1] - dialled[0] >= 100ms);
    CHECK(dialled[1] - dialled[0] < 110ms);
    CHECK(dialled[7] - dialled[6] >= 1s);
    CHECK(dialled[7] - dialled[6] < 1010ms);
}

TEST_CASE("B.13: a control connection that was idle for link_ping carries a LINK_PING") {
    stand s{3};
    s.follow(three, epoch{2});
    s.forget();
    s.run(99ms);
    CHECK(s.count<link_ping>(one) == 0);
    s.run(2ms);
    CHECK(s.count<link_ping>(one) == 1);
}

TEST_CASE("B.2: when a server was heard last, and its priority, is known after its link is down") {
    stand s{3};
    greeting hello = s.greeting_of(three);
    hello.rank.priority = 7;
    s.accept(hello);
    s.run(20ms);
    s.say(three, link_ping{.role = role_name::backup}, epoch{1});
    const instant heard = s.now().monotonic;
    s.run(30ms);
    s.close(three);
    s.run(1s);
    CHECK_FALSE(s.peer(three).open);
    CHECK(s.peer(three).last_heard == heard);
    CHECK(s.peer(three).priority == 7);
    CHECK_FALSE(s.peer(one).last_heard);
    CHECK_FALSE(s.peer(one).priority);
}

TEST_CASE("B.1: reach counts the voters heard from within suspect_timeout, and oneself") {
    stand s{3};
    CHECK(s.status().reach == 1);
    s.open_all();
    CHECK(s.status().reach == 3);
    s.pass(300ms);
    s.say(three, link_ping{.role = role_name::backup}, epoch{1});
    s.pass(101ms);
    s.tick();
    CHECK(s.status().reach == 2);
}

} // namespace almenara::replica
