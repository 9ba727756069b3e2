#include "unit/replica/stand.hpp"

// B.9: a read is answered when a majority said, after it came, that this server still rules.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::one;
using test::stand;
using test::three;
using test::two;

void read(stand& s, std::uint64_t ticket, epoch seen = {}) {
    s.step(read_request{.ticket = read_ticket{ticket}, .epoch_seen = seen});
}

} // namespace

TEST_CASE("B.9: a probe leaves at once, and its ack by a majority answers the read") {
    stand s{3};
    s.rule();
    s.forget();
    read(s, 7);
    CHECK(s.readable.empty());
    REQUIRE(s.count<heartbeat>(one) == 1);
    const auto probe = s.last_said<heartbeat>(one).probe;
    s.say(one, heartbeat_ack{.probe = probe, .match = s.last().index}, s.epoch_now());
    CHECK(s.readable == std::vector{read_ticket{7}});
}

TEST_CASE("B.9: an ack of an earlier probe answers nothing") {
    stand s{3};
    s.rule();
    s.forget();
    read(s, 7);
    const auto probe = s.last_said<heartbeat>(one).probe;
    const probe_number earlier{probe.value() - 1};
    s.say(one, heartbeat_ack{.probe = earlier, .match = s.last().index}, s.epoch_now());
    s.say(three, append_ack{.match = s.last().index, .probe = earlier}, s.epoch_now());
    CHECK(s.readable.empty());
}

TEST_CASE("B.9: a read that came after the probe left needs one of its own") {
    stand s{3};
    s.rule();
    s.forget();
    read(s, 7);
    const auto first = s.last_said<heartbeat>(one).probe;
    read(s, 8);
    CHECK(s.last_said<heartbeat>(one).probe > first);
    s.say(one, heartbeat_ack{.probe = first, .match = s.last().index}, s.epoch_now());
    CHECK(s.readable == std::vector{read_ticket{7}});
}

TEST_CASE("B.9: acks of another epoch, and of a probe that was never sent, answer nothing") {
    stand s{3};
    s.rule();
    s.forget();
    read(s, 7);
    const auto probe = s.last_said<heartbeat>(one).probe;
    s.say(one, heartbeat_ack{.probe = probe}, epoch{1});
    CHECK(s.readable.empty());
    s.say(one, heartbeat_ack{.probe = probe_number{~0ULL}}, s.epoch_now());
    s.forget();
    read(s, 8);
    CHECK(s.readable.empty());
}

TEST_CASE("B.9: no read before EPOCH_START is committed") {
    stand s{3};
    s.take_office();
    read(s, 7);
    for (const server_id peer : {one, three}) {
        s.say(peer, heartbeat_ack{.probe = s.last_said<heartbeat>(peer).probe, .match = {}},
              s.epoch_now());
    }
    CHECK(s.readable.empty());
    s.ack_all();
    CHECK(s.readable == std::vector{read_ticket{7}});
}

TEST_CASE("B.9: what was committed when it came is applied before it is answered") {
    stand s{3};
    s.rule();
    s.disk_is_fast = false;
    const log_index mine = s.propose();
    s.ack(one, mine);
    s.ack(three, mine);
    REQUIRE(s.status().commit == mine);
    REQUIRE(s.status().applied < mine);
    s.forget();
    read(s, 7);
    s.ack(one, mine);
    s.ack(three, mine);
    CHECK(s.readable.empty());
    s.sync_log();
    CHECK(s.readable == std::vector{read_ticket{7}});
}

TEST_CASE("C.0: a backup whose client has seen a higher epoch asks the others, not for each word") {
    stand s{3};
    s.follow(three, epoch{3});
    s.forget();
    const auto claims = [&s](std::uint64_t seen) {
        s.step(read_request{.ticket = {}, .epoch_seen = epoch{seen}});
        CHECK(s.count<link_whois>(one) == s.count<link_whois>(three));
        return s.count<link_whois>(three);
    };
    CHECK(claims(3) == 0);
    CHECK(claims(4) == 1);
    CHECK(claims(5) == 1);
    s.pass(100ms);
    CHECK(claims(4) == 2);
    CHECK(s.epoch_now() == epoch{3}); // Its word changes nothing.
    CHECK(s.readable.empty());
}

TEST_CASE("B.9: reads that wait are not answered when the office is left") {
    stand s{3};
    s.rule();
    s.forget();
    read(s, 7);
    const auto probe = s.last_said<heartbeat>(one).probe;
    s.heartbeat(three, epoch{9});
    REQUIRE(s.role() == role_name::backup);
    s.say(one, heartbeat_ack{.probe = probe, .match = s.last().index}, epoch{2});
    CHECK(s.readable.empty());
    CHECK(s.office.size() == 1);
}

TEST_CASE("B.9: one voter reads without a round") {
    stand s{1, one};
    REQUIRE(s.run_until([&] { return s.role() == role_name::primary; }));
    s.run(10ms);
    read(s, 7);
    CHECK(s.readable == std::vector{read_ticket{7}});
}

TEST_CASE("B.5.1: a client that claims a higher epoch deposes nobody; the probe round tells") {
    stand s{3};
    s.rule();
    s.forget();
    read(s, 7, epoch{999});
    CHECK(s.role() == role_name::primary);
    CHECK(s.readable.empty());
    SECTION("a majority acks: the number is wrong") {
        s.ack(one, s.last().index);
        CHECK(s.readable == std::vector{read_ticket{7}});
        CHECK(s.role() == role_name::primary);
    }
    SECTION("no majority within check_quorum: it steps down") {
        s.run(351ms);
        CHECK(s.role() != role_name::primary);
        CHECK(s.readable.empty());
    }
    CHECK(s.epoch_now() < epoch{999});
}

TEST_CASE("B.13: the reads that wait are bounded, and who is too many is told") {
    settings chosen;
    chosen.limits.reads_waiting = 10;
    stand s{test::first_start(test::cluster_of(3), two), chosen};
    s.rule();
    for (std::uint64_t ticket = 1; ticket <= 30; ++ticket) {
        read(s, ticket);
    }
    CHECK(s.refused_reads.size() == 20);
    s.ack_all();
    CHECK(s.readable.size() == 10);
}

} // namespace almenara::replica
