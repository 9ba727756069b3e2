#include "unit/replica/stand.hpp"

// B.12.3: the first start of a list of servers.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::one;
using test::stand;
using test::three;
using test::two;

stand empty(server_id self = two) {
    return stand{test::empty_start(test::cluster_of(3), self)};
}

entry the_entry() {
    auto config = test::cluster_of(3);
    for (member& m : config.members) {
        m.addresses.clear();
    }
    return first_entry(config);
}

greeting empty_greeting(const stand& s, server_id peer) {
    greeting g = s.greeting_of(peer);
    g.cluster.reset();
    g.rank = {.last_epoch = {}, .last_index = {}, .id = peer};
    g.config_index = {};
    g.role = role_name::boot;
    return g;
}

void open_empty(stand& s) {
    s.each_peer([&s](server_id peer) { s.accept(empty_greeting(s, peer)); });
}

void offers(stand& s, server_id who, const entry& first) {
    s.say(who, init{.nonce = 77, .members_hash = list_hash({one, two, three}), .first = first},
          epoch{0});
}

} // namespace

TEST_CASE("B.12.3: an empty server is in BOOT and never starts an election") {
    stand s = empty();
    open_empty(s);
    s.run(3s);
    CHECK(s.role() == role_name::boot);
    CHECK(s.count<election>(three) == 0);
    CHECK(s.status().eligible == 0);
}

TEST_CASE("B.12.3: another list of servers is refused") {
    stand s = empty();
    greeting other = empty_greeting(s, three);
    other.members_hash = list_hash({one, two, three, server_id{4}});
    s.accept(other);
    CHECK(s.last_said<link_reject>(three).code == link_reject_code::other_list);
}

TEST_CASE("B.12.3: the highest id offers the one possible entry 1 when it sees all") {
    stand s = empty(three);
    s.accept(empty_greeting(s, one));
    s.run(1s);
    CHECK(s.count<init>(one) == 0);
    s.accept(empty_greeting(s, two));
    s.run(401ms);
    REQUIRE(s.count<init>(one) >= 1);
    CHECK(s.last_said<init>(one).first == the_entry());
    CHECK(s.last_said<init>(two).first == the_entry());
}

TEST_CASE("B.12.3: another than the highest id offers nothing") {
    stand s = empty(two);
    open_empty(s);
    s.run(1s);
    CHECK(s.count<init>(one) == 0);
}

TEST_CASE("B.12.3: INIT_GO only with all N acks, the own disk among them; then it runs at once") {
    stand s = empty(three);
    s.disk_is_fast = false;
    open_empty(s);
    s.run(401ms);
    const init offered = s.last_said<init>(one);
    const init_ack yes{.nonce = offered.nonce, .first = offered.first.hash};
    s.say(one, yes, epoch{0});
    CHECK(s.count<init_go>(one) == 0);
    s.say(two, yes, epoch{0});
    CHECK(s.count<init_go>(one) == 0);
    s.sync_log();
    CHECK(s.count<init_go>(one) == 1);
    CHECK(s.count<init_go>(two) == 1);
    CHECK(s.last_said<election>(one).reason == election_reason::boot);
}

TEST_CASE("B.12.3: a refused INIT stops it, and an ack of another INIT does not count") {
    stand s = empty(three);
    open_empty(s);
    s.run(401ms);
    const init offered = s.last_said<init>(one);
    init_ack reply{.nonce = offered.nonce, .first = offered.first.hash};
    s.say(one, reply, epoch{0});
    SECTION("refused") {
        reply.refused = true;
    }
    SECTION("another nonce") {
        ++reply.nonce;
    }
    s.say(two, reply, epoch{0});
    s.run(100ms);
    CHECK(s.count<init_go>(one) == 0);
}

TEST_CASE("B.12.3: who was told other options holds the list, and its offer is not made") {
    start_state start = test::empty_start(test::cluster_of(3), three);
    start.options = {"confirm=sync-set", "auth=trust"};
    stand s{start};
    const auto comes = [&](server_id who, const char* confirm) {
        greeting g = empty_greeting(s, who);
        g.options = {confirm, "auth=trust"};
        s.accept(g);
    };
    comes(one, "confirm=sync-set");
    comes(two, "confirm=sync-set");
    s.run(401ms);
    const init offered = s.last_said<init>(one);
    const init_ack yes{.nonce = offered.nonce, .first = offered.first.hash};
    s.say(one, yes, epoch{0});
    s.close(two);
    s.forget();
    comes(two, "confirm=all");
    s.run(3s);
    CHECK(s.noted("confirm=sync-set at server 3, confirm=all at server 2"));
    CHECK(s.count<init>(two) == 0);
    CHECK(s.count<init_go>(one) == 0);
    CHECK(s.role() == role_name::boot);
    s.close(two);
    comes(two, "confirm=sync-set");
    s.run(401ms);
    REQUIRE(s.count<init>(two) >= 1);
    s.say(two, yes, epoch{0});
    CHECK(s.count<init_go>(one) == 1);
    CHECK(s.role() != role_name::boot);
}

TEST_CASE("B.12.3: who has acked INIT does not go on while one is there with other options") {
    start_state start = test::empty_start(test::cluster_of(3), two);
    start.options = {"confirm=sync-set"};
    stand s{start};
    greeting leader = empty_greeting(s, three);
    leader.options = start.options;
    s.accept(leader);
    offers(s, three, the_entry());
    REQUIRE_FALSE(s.last_said<init_ack>(three).refused);
    greeting other = empty_greeting(s, one);
    other.options = {"confirm=all"};
    s.accept(other);
    s.run(3s);
    CHECK(s.role() == role_name::boot);
    CHECK(s.noted("confirm=sync-set at server 2, confirm=all at server 1"));
    s.close(one);
    s.run(1300ms);
    CHECK(s.role() != role_name::boot);
}

TEST_CASE("B.12.3: who refuses a first entry of other options says which") {
    stand s = empty();
    open_empty(s);
    auto config = test::cluster_of(3);
    for (member& m : config.members) {
        m.addresses.clear();
    }
    config.confirm = confirm_policy::all;
    offers(s, three, first_entry(config));
    CHECK(s.last_said<init_ack>(three).refused);
    CHECK(s.noted("confirm is all in the offered first entry, and sync_set here"));
}

TEST_CASE("B.12.3: an INIT that was not heard is sent again, with the same entry") {
    stand s = empty(three);
    open_empty(s);
    s.run(2s);
    const auto all = s.said<init>(one);
    REQUIRE(all.size() >= 2);
    CHECK(all.front().first == all.back().first);
    CHECK(all.front().nonce == all.back().nonce);
}

TEST_CASE("B.12.3: INIT is checked, written with the cluster's id before it, synced, then acked") {
    stand s = empty();
    s.disk_is_fast = s.meta_is_fast = false;
    open_empty(s);
    offers(s, three, the_entry());
    REQUIRE(s.metas.size() == 1);
    CHECK(s.metas[0].fields.cluster == cluster_of_list(test::cluster_of(3)));
    CHECK(s.writes.empty());
    s.sync_meta();
    REQUIRE(s.writes.size() == 1);
    CHECK(s.count<init_ack>(three) == 0);
    s.sync_log();
    const auto ack = s.last_said<init_ack>(three);
    CHECK_FALSE(ack.refused);
    CHECK(ack.nonce == 77);
    CHECK(ack.first == the_entry().hash);
    CHECK(s.role() == role_name::boot);
    s.say(three, init_go{.nonce = 77}, epoch{0});
    CHECK(s.role() == role_name::backup);
    CHECK(s.epoch_now() == epoch{1});
    s.forget();
    s.run(399ms);
    CHECK(s.count<election>(three) == 0);
    s.run(60ms);
    CHECK(s.count<election>(three) == 1);
}

TEST_CASE("B.12.3: INIT_GO counts only when entry 1 is on the own disk") {
    stand s = empty();
    s.disk_is_fast = false;
    open_empty(s);
    s.say(three, init_go{.nonce = 77}, epoch{0});
    CHECK(s.role() == role_name::boot);
    offers(s, three, the_entry());
    s.say(three, init_go{.nonce = 77}, epoch{0});
    CHECK(s.role() == role_name::boot);
    s.sync_log();
    s.say(three, init_go{.nonce = 0}, epoch{0});
    CHECK(s.role() == role_name::boot); // Nobody offers with that nonce and waits for all.
    s.say(three, init_go{.nonce = 77}, epoch{0});
    CHECK(s.role() == role_name::backup);
}

TEST_CASE("B.12.3: an entry 1 that is not that of the own view is refused") {
    stand s = empty();
    open_empty(s);
    entry first = the_entry();
    auto config = test::cluster_of(3);
    for (member& m : config.members) {
        m.addresses.clear();
    }
    SECTION("another disk of this server") {
        config.members[1].uuid = test::disk_of(server_id{200});
        first = first_entry(config);
    }
    SECTION("another disk of a server that is here") {
        config.members[0].uuid = test::disk_of(server_id{200});
        first = first_entry(config);
    }
    SECTION("a member too many") {
        config = test::cluster_of(4);
        first = first_entry(config);
    }
    SECTION("other options than the operator's") {
        config.confirm = confirm_policy::all;
        first = first_entry(config);
    }
    SECTION("another index") {
        first.index = log_index{2};
    }
    SECTION("another type") {
        first.type = entry_type::update;
    }
    SECTION("another hash") {
        first.hash = hash64{1};
    }
    SECTION("no config at all") {
        first.payload = {std::byte{1}};
    }
    offers(s, three, first);
    CHECK(s.last().index == log_index{0});
    CHECK(s.last_said<init_ack>(three).refused);
    CHECK_FALSE(s.status().durable.cluster);
}

TEST_CASE("B.12.3: a member with the same entry 1 says yes again, empty or not") {
    const auto config = [] {
        auto c = test::cluster_of(3);
        for (member& m : c.members) {
            m.addresses.clear();
        }
        return c;
    }();
    stand s{started(config, two, test::history{config}.add(epoch{2}, 4))};
    s.open_all();
    offers(s, three, the_entry());
    CHECK_FALSE(s.last_said<init_ack>(three).refused);
    SECTION("and refuses another one") {
        auto other = config;
        other.confirm = confirm_policy::majority;
        offers(s, three, first_entry(other));
        CHECK(s.last_said<init_ack>(three).refused);
        CHECK(s.last().index == log_index{5});
    }
}

TEST_CASE("B.12.3: an empty listed server takes identity and entry 1 from HELLO_OK") {
    stand s = empty();
    s.step(connection_opened{.connection = connection_id{9}, .kind = {}, .dialled = three});
    hello_ok ok{.from = s.greeting_of(three), .first = the_entry()};
    ok.from.session.dialler = s.last_said<hello>(three).from.incarnation;
    s.say_on(connection_id{9}, ok, epoch{0});
    CHECK(s.last().index == log_index{1});
    CHECK(s.status().durable.cluster == cluster_of_list(test::cluster_of(3)));
    SECTION("and is a BACKUP as soon as a member speaks to it") {
        s.say_on(connection_id{9}, heartbeat{.primary = three}, epoch{2});
        CHECK(s.role() == role_name::backup);
        CHECK(s.status().known_primary == three);
    }
    SECTION("or after a while, if nobody does") {
        s.run(3s);
        CHECK(s.role() != role_name::boot);
    }
}

TEST_CASE("B.12.3: a member whose entry 1 rotted gets it back, whatever it is started with now") {
    start_state start = test::empty_start(test::cluster_of(3), two);
    start.meta.cluster = cluster_of_list(test::cluster_of(3));
    start.meta.epoch = epoch{2};
    start.found_damaged =
        damage{.from = log_index{1}, .end = log_end{.epoch = epoch{2}, .index = log_index{9}}};
    start.listed.clear();
    start.confirm = confirm_policy::all;
    stand s{start};
    const stand member{3, three};
    const connection_id link = s.accept(member.greeting_of(three));
    REQUIRE(s.count<hello_ok>(three) == 1);
    SECTION("that of its cluster") {
        s.say_on(link, init{.nonce = 0, .members_hash = {}, .first = the_entry()}, epoch{2});
        CHECK(s.last() == point_of(the_entry()));
        CHECK(s.status().damaged);
    }
    SECTION("and no other") {
        const entry other = first_entry(test::cluster_of(4));
        s.say_on(link, init{.nonce = 0, .members_hash = {}, .first = other}, epoch{2});
        CHECK(s.last().index == log_index{0});
    }
}

TEST_CASE("B.12.3: a member gives entry 1 to an empty listed one that dials it") {
    stand s{3};
    s.accept(empty_greeting(s, three));
    const auto ok = s.last_said<hello_ok>(three);
    REQUIRE(ok.first);
    CHECK(ok.first->index == log_index{1});
    CHECK(ok.from.cluster == cluster_of_list(test::cluster_of(3)));
}

TEST_CASE("B.12.3: with entry 1 on its disk a later start is BACKUP") {
    stand s{3};
    CHECK(s.role() == role_name::backup);
}

TEST_CASE("B.6: a server in BOOT without entry 1 answers nothing that could be a vote") {
    stand s = empty();
    open_empty(s);
    s.say(three, claim{.rank = stand::rank(three, epoch{1}, log_index{1})}, epoch{2});
    CHECK(s.count<promise>(three) == 0);
    CHECK(s.epoch_now() == epoch{0});
}

} // namespace almenara::replica
