#include "unit/replica/stand.hpp"
#include "wire/codec.hpp"

#include <string>

// B.13 and the bad-input case of every message: whatever a peer with a good certificate says, no
// server ends, no invariant breaks and nothing grows.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

constexpr epoch last_epoch{~0ULL};
constexpr log_index last_index{~0ULL};

rank highest(server_id of) {
    return {.last_epoch = last_epoch,
            .last_index = last_index,
            .eligible = 255,
            .priority = 65535,
            .id = of};
}

log_point nowhere() {
    return {.index = last_index, .epoch = last_epoch, .hash = hash64{~0ULL}};
}

entry odd_entry(log_index index, epoch in) {
    return {.index = index,
            .epoch = in,
            .type = static_cast<entry_type>(0xee),
            .time = wall_time{std::chrono::milliseconds{-1}},
            .seq = ~0ULL,
            .first_unacked = ~0ULL,
            .payload = {},
            .hash = hash64{1}};
}

/// Each type at least once, with the values that nobody expects. `self` is whom they go to.
std::vector<message> odd_messages(server_id self) {
    const permit odd_permit{
        .old_primary = self, .epoch = last_epoch, .last_index = last_index, .probe = {}};
    const std::vector<entry> odd_entries{odd_entry(last_index, last_epoch),
                                         odd_entry(log_index{0}, epoch{0}),
                                         odd_entry(log_index{2}, last_epoch)};
    entry no_config = odd_entry(log_index{1}, epoch{1});
    no_config.type = entry_type::config;
    no_config.payload.assign(50, std::byte{0xff});
    return {
        heartbeat{.primary = self, .commit = last_index, .commit_epoch = last_epoch},
        heartbeat{.primary = three,
                  .commit = last_index,
                  .commit_epoch = last_epoch,
                  .probe = probe_number{~0ULL},
                  .sync_set = ~0ULL},
        heartbeat_ack{.probe = probe_number{~0ULL},
                      .match = last_index,
                      .disk_lag_ms = ~0U,
                      .sick = true,
                      .draining = true},
        append{.primary = self},
        append{.primary = three, .previous = nowhere(), .commit = last_index},
        append{.primary = three, .previous = {}, .entries = odd_entries},
        append{.primary = three,
               .previous = {.index = log_index{0}, .epoch = last_epoch, .hash = hash64{4}},
               .verified = true,
               .entries = odd_entries},
        append_ack{.match = last_index, .probe = probe_number{~0ULL}},
        append_nack{.reason = nack_reason::mismatch, .previous = last_index, .hint = last_index},
        append_nack{.reason = nack_reason::mismatch},
        append_nack{.reason = nack_reason::corrupt, .hint = last_index},
        append_nack{.reason = nack_reason::corrupt, .hint = log_index{0}, .hash = hash64{1}},
        append_nack{.reason = static_cast<nack_reason>(200)},
        link_ping{.role = static_cast<role_name>(200)},
        election{.generation = generation{~0U},
                 .rank = highest(self),
                 .reason = static_cast<election_reason>(200),
                 .suspect = self,
                 .suspect_epoch = last_epoch},
        answer{.generation = generation{~0U}, .kind = static_cast<answer_kind>(200)},
        answer{.generation = generation{1},
               .kind = answer_kind::refuse,
               .rank = highest(self),
               .epoch = last_epoch,
               .reach = 255,
               .known_primary = self,
               .primary_epoch = last_epoch},
        answer{.generation = generation{1},
               .kind = answer_kind::bully,
               .rank = highest(self),
               .epoch = epoch{0}},
        claim{.rank = highest(self), .handover = true, .permit = odd_permit},
        claim{.rank = {}, .handover = false, .unanimous = true},
        promise{.claimed = last_epoch, .granted = true, .reason = {}, .rank = highest(self)},
        promise{.claimed = epoch{0}, .granted = false, .reason = static_cast<denial>(200)},
        coordinator{.primary = self,
                    .addresses = std::vector<std::string>(1000, "x"),
                    .config_index = last_index,
                    .epoch_start = last_index},
        resign{.reason = static_cast<resign_reason>(200), .last_index = last_index},
        handover{.target = self, .permit = odd_permit},
        handover{.target = server_id{0}, .permit = {}},
        fetch{.generation = generation{~0U}, .from = nowhere(), .max_bytes = ~0U},
        fetch{.generation = generation{0}, .from = {}, .max_bytes = 0},
        log_chunk{.generation = generation{1},
                  .session = {},
                  .previous = nowhere(),
                  .entries = odd_entries,
                  .reason = static_cast<chunk_reason>(200),
                  .hint = last_index,
                  .rank = highest(self)},
        log_chunk{.generation = generation{1},
                  .session = {},
                  .previous = {},
                  .entries = {},
                  .reason = chunk_reason::mismatch,
                  .hint = last_index,
                  .rank = highest(self)},
        init{.nonce = ~0ULL, .members_hash = hash64{~0ULL}, .first = no_config},
        init_ack{.nonce = ~0ULL, .first = hash64{~0ULL}},
        init_go{.nonce = ~0ULL},
        link_whois{.role = static_cast<role_name>(200)},
        reconnect{.reason = static_cast<reconnect_reason>(200)},
    };
}

/// A server in that role, whose links with 1 and 3 are open.
stand in_role(role_name role) {
    if (role == role_name::boot) {
        stand s{test::empty_start(test::cluster_of(3), two)};
        s.each_peer([&s](server_id peer) {
            greeting g = s.greeting_of(peer);
            g.cluster.reset();
            s.accept(g);
        });
        return s;
    }
    const auto config = test::cluster_of(3);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    switch (role) {
    case role_name::prospect:
        s.open_all();
        s.ask();
        break;
    case role_name::candidate:
        s.open_all();
        s.ask();
        s.answer(one, answer_kind::grant, s.rank_of(one));
        s.answer(three, answer_kind::grant, s.rank_of(three));
        break;
    case role_name::primary:
        s.rule();
        s.propose();
        break;
    default:
        s.follow(three, epoch{2});
    }
    REQUIRE(s.role() == role);
    return s;
}

/// A link that the server may have closed meanwhile is opened again.
void says(stand& s, server_id who, const message& what, epoch in) {
    if (!s.status().peers.empty() && !s.peer(who).open) {
        s.accept(s.greeting_of(who));
    }
    if (s.peer(who).open) {
        s.say(who, what, in);
    }
}

void invariants_hold(const stand& s, const core_status& before) {
    const core_status now = s.status();
    CHECK(now.durable.epoch >= before.durable.epoch); // I2
    CHECK(now.commit >= before.commit);               // I8
    CHECK(now.commit <= now.last.index);
    CHECK(now.applied <= now.commit);
    CHECK(now.durable_upto <= now.last.index);
    CHECK(now.waiting_sends <= 64);
}

} // namespace

TEST_CASE("bad input: each odd message alone, in every role and of every epoch") {
    const auto role = GENERATE(role_name::boot, role_name::backup, role_name::prospect,
                               role_name::candidate, role_name::primary);
    const auto in = GENERATE(epoch{0}, epoch{2}, epoch{3}, last_epoch);
    for (const message& what : odd_messages(two)) {
        INFO(wire::enumerator_name(role) << " in " << in << ", alternative " << what.index());
        stand s = in_role(role);
        const core_status before = s.status();
        const log_point end = s.last();
        says(s, three, what, in);
        s.run(50ms);
        invariants_hold(s, before);
        CHECK_FALSE(s.died);
        if (!std::holds_alternative<claim>(what)) {
            CHECK(s.last().index >= end.index);
        }
    }
}

TEST_CASE("bad input: all odd messages one after another") {
    const auto role = GENERATE(role_name::boot, role_name::backup, role_name::prospect,
                               role_name::candidate, role_name::primary);
    const auto in = GENERATE(epoch{2}, epoch{3}, last_epoch);
    stand s = in_role(role);
    for (int round = 0; round < 3 && !s.died; ++round) {
        for (const message& what : odd_messages(two)) {
            const core_status before = s.status();
            says(s, round == 1 ? one : three, what, in);
            invariants_hold(s, before);
        }
        s.run(20ms);
    }
    CHECK_FALSE(s.died);
}

TEST_CASE("bad input: the last epoch there is stops nobody with an abort") {
    SECTION("an ANSWER of it, then a permit") {
        stand s = in_role(role_name::backup);
        s.say(one, answer{.generation = generation{1}, .kind = {}, .rank = {}, .epoch = last_epoch},
              epoch{2});
        CHECK_NOTHROW(s.say(three,
                            handover{.target = two,
                                     .permit = {.old_primary = three,
                                                .epoch = epoch{2},
                                                .last_index = log_index{5},
                                                .probe = {}}},
                            epoch{2}));
    }
    SECTION("a denial with it, of a claim that has a permit") {
        stand s = in_role(role_name::backup);
        s.say(three,
              handover{.target = two,
                       .permit = {.old_primary = three,
                                  .epoch = epoch{2},
                                  .last_index = log_index{5},
                                  .probe = {}}},
              epoch{2});
        REQUIRE(s.role() == role_name::candidate);
        CHECK_NOTHROW(s.deny(one, epoch{3}, denial::epoch, last_epoch));
    }
    SECTION("the epoch itself, then an election") {
        stand s = in_role(role_name::backup);
        s.heartbeat(three, last_epoch);
        CHECK_FALSE(s.peer(three).open);
        CHECK(s.epoch_now() == epoch{2});
        CHECK(s.run_until([&] { return s.count<election>(one) > 0; }));
        CHECK_NOTHROW(s.answer(one, answer_kind::grant, s.rank_of(one), epoch{2}));
        CHECK(s.epoch_now() == epoch{3});
    }
}

TEST_CASE("bad input: an answer of a server to itself, or for another, is of who sent it") {
    const auto config = test::cluster_of(5);
    stand s{started(config, two, history{config}.add(epoch{2}, 4))};
    s.open_all();
    s.ask();
    for (const server_id faked : {one, two, three, server_id{4}}) {
        s.say(server_id{5},
              answer{.generation = s.last_said<election>(server_id{5}).generation,
                     .kind = answer_kind::grant,
                     .rank = s.rank_of(faked)},
              epoch{2});
    }
    s.run(31ms);
    CHECK(s.role() == role_name::prospect);
}

TEST_CASE("B.13: claims that wait for meta are held once per server") {
    stand s = in_role(role_name::prospect);
    s.meta_is_fast = false;
    s.say(three, claim{.rank = highest(three)}, epoch{4});
    for (std::uint64_t e = 5; e < 2000; ++e) {
        s.say(one, claim{.rank = highest(one)}, epoch{e});
    }
    s.forget();
    s.sync_meta();
    while (s.meta_sync_due()) {
        s.sync_meta();
    }
    CHECK(s.count<promise>(one) == 1);
    CHECK(s.last_said<promise>(one).claimed == epoch{1999});
}

TEST_CASE("B.13: what waits for a sync is bounded, however often somebody asks") {
    stand s = in_role(role_name::backup);
    s.meta_is_fast = s.disk_is_fast = false;
    SECTION("HEARTBEAT of one higher epoch") {
        for (int i = 0; i < 2000; ++i) {
            s.heartbeat(three, epoch{9});
        }
    }
    SECTION("HEARTBEAT of ever higher epochs") {
        for (std::uint64_t e = 9; e < 2009; ++e) {
            s.heartbeat(three, epoch{e});
        }
    }
    SECTION("APPEND without entries") {
        for (int i = 0; i < 2000; ++i) {
            s.say(three, append{.primary = three, .previous = s.last()}, epoch{9});
        }
    }
    SECTION("APPEND that does not fit") {
        for (int i = 0; i < 2000; ++i) {
            s.say(three, append{.primary = three, .previous = nowhere()}, epoch{9});
        }
    }
    SECTION("CLAIM") {
        for (int i = 0; i < 2000; ++i) {
            s.say(one, claim{.rank = {}}, epoch{9});
        }
    }
    CHECK(s.status().waiting_sends <= 64);
}

TEST_CASE("B.13: INIT that is repeated while the disk is slow is answered, not piled up") {
    stand s = in_role(role_name::boot);
    s.disk_is_fast = s.meta_is_fast = false;
    auto config = test::cluster_of(3);
    for (member& m : config.members) {
        m.addresses.clear();
    }
    for (int i = 0; i < 2000; ++i) {
        s.say(three, init{.nonce = 1, .members_hash = {}, .first = first_entry(config)}, epoch{0});
    }
    REQUIRE(s.last().index == log_index{1});
    CHECK(s.status().waiting_sends <= 64);
}

TEST_CASE("B.13: a refused ELECTION is remembered once per server") {
    stand s = in_role(role_name::backup);
    for (unsigned g = 1; g < 2000; ++g) {
        s.say(one, election{.generation = generation{g}, .rank = highest(one)}, epoch{2});
    }
    s.forget();
    s.close(three);
    CHECK(s.count<answer>(one) == 1);
    CHECK(s.last_said<answer>(one).generation == generation{1999});
}

TEST_CASE("B.13: FETCH again and again makes no more than a few reads") {
    const auto config = test::cluster_of(3);
    const history log = history{config}.add(epoch{2}, 7);
    start_state start = started(config, two, log);
    start.applied = log_index{7};
    start.recent.erase(start.recent.begin(), start.recent.begin() + 6);
    stand s{start};
    s.open_all();
    s.forget();
    for (int i = 0; i < 500; ++i) {
        s.say(three, fetch{.generation = generation{1}, .from = log.at(log_index{2})}, epoch{2});
    }
    CHECK(s.reads.size() <= 16);
}

TEST_CASE("B.13: CORRUPT again and again makes no more than a few reads") {
    stand s{3};
    s.rule();
    for (int i = 0; i < 200; ++i) {
        s.propose();
    }
    s.forget();
    for (std::uint64_t i = 1; i <= 200; ++i) {
        s.say(three,
              append_nack{.reason = nack_reason::corrupt, .hint = log_index{i}, .hash = hash64{1}},
              s.epoch_now());
    }
    CHECK(s.reads.size() <= 16);
    CHECK(s.role() == role_name::primary);
}

TEST_CASE("bad input: a server that is told the same thing a thousand times holds no more") {
    const auto role = GENERATE(role_name::backup, role_name::prospect, role_name::primary);
    stand s = in_role(role);
    for (int i = 0; i < 1000; ++i) {
        says(s, one, heartbeat_ack{.probe = probe_number{~0ULL}, .match = last_index}, epoch{2});
        says(s, one, link_whois{}, epoch{2});
        says(s, one, link_ping{}, epoch{2});
    }
    CHECK(s.status().waiting_sends <= 64);
    CHECK(s.status().peers.size() == 2);
}

TEST_CASE("bad input: HELLO with hostile values is refused or harmless") {
    stand s{3};
    greeting g = s.greeting_of(three);
    g.rank = highest(three);
    g.config_index = last_index;
    g.commit = last_index;
    g.role = static_cast<role_name>(200);
    g.features = ~0ULL;
    g.session.counter = ~0ULL;
    s.accept(g);
    s.run(500ms);
    CHECK_FALSE(s.died);
    CHECK(s.last().index == log_index{1});
    SECTION("a primary asks such a peer where the logs agree, and does not overrun") {
        stand p{3};
        p.rule();
        p.close(three);
        p.accept(g);
        p.run(10ms);
        CHECK(p.peer(three).next <= p.last().index.next());
    }
}

} // namespace almenara::replica
