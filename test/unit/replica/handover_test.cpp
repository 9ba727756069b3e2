#include "unit/replica/stand.hpp"

// B.10: a planned change of primary.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::history;
using test::one;
using test::stand;
using test::three;
using test::two;

/// Server 2 rules and was told to end; server 3 was asked to take over.
struct leaving {
    leaving() : s(3) {
        mine = s.rule();
        s.forget();
        s.step(terminate{});
    }
    [[nodiscard]] permit given() const { return s.last_said<handover>(three).permit; }
    /// Server `who` claims with that permit.
    void claims(server_id who, const std::optional<permit>& with) {
        s.say(who, claim{.rank = s.rank_of(who), .handover = true, .permit = with}, mine.next());
    }
    stand s;
    epoch mine;
};

/// Server 2 is a backup with the whole log of the primary 3.
struct heir {
    heir()
        : log(history{test::cluster_of(3)}.add(epoch{2}, 4)),
          s(started(test::cluster_of(3), two, log)) {
        s.follow(three, epoch{2});
        s.append(three, epoch{2}, log, log_index{5}, log_index{5});
        s.forget();
    }
    [[nodiscard]] permit allowed() const {
        return {.old_primary = three, .epoch = epoch{2}, .last_index = log_index{5}, .probe = {}};
    }
    history log;
    stand s;
};

} // namespace

TEST_CASE("B.10.1: DRAINING takes no proposal, and goes on replicating") {
    leaving l;
    CHECK_FALSE(l.s.core().next_slot(l.s.now()));
    CHECK(l.s.role() == role_name::primary);
    l.s.run(60ms);
    CHECK(l.s.count<heartbeat>(one) >= 1);
}

TEST_CASE("B.10.3: HANDOVER leaves with the ack that makes it possible") {
    stand s{3};
    s.rule();
    s.propose();
    s.step(transfer{.target = one});
    REQUIRE(s.count<handover>(one) == 0);
    s.ack(one, s.last().index);
    CHECK(s.count<handover>(one) == 1);
}

TEST_CASE("B.10: who must go does not wait for the successor that an operator wished for") {
    stand s{3};
    s.rule();
    s.propose();
    s.step(transfer{.target = one});
    s.step(terminate{});
    s.ack(three, s.last().index);
    CHECK(s.count<handover>(three) == 1);
}

TEST_CASE("B.10.2: the successor is the voter of the sync set that is furthest, then the id") {
    stand s{3};
    s.rule();
    s.forget();
    SECTION("both have all: the higher id") {
        s.step(terminate{});
        CHECK(s.count<handover>(three) == 1);
        CHECK(s.count<handover>(one) == 0);
    }
    SECTION("one is further") {
        const log_index mine = s.propose();
        s.ack(one, mine);
        s.step(terminate{});
        CHECK(s.count<handover>(one) == 1);
        CHECK(s.count<handover>(three) == 0);
    }
    SECTION("SICK and DRAINING ones are none") {
        s.say(three, heartbeat_ack{.match = s.last().index, .draining = true}, s.epoch_now());
        s.step(terminate{});
        CHECK(s.count<handover>(three) == 0);
        CHECK(s.count<handover>(one) == 1);
    }
    SECTION("out of the sync set is none") {
        s.close(three);
        s.step(terminate{});
        CHECK(s.count<handover>(one) == 1);
    }
}

TEST_CASE("B.10.2: with nobody to hand over to, it resigns after 300 ms all the same") {
    stand s{3};
    s.rule();
    s.propose();
    s.close(one);
    s.close(three);
    s.step(terminate{});
    s.run(299ms);
    CHECK(s.role() == role_name::primary);
    s.run(2ms);
    CHECK(s.role() != role_name::primary);
}

TEST_CASE("B.10.3: HANDOVER leaves when the successor has everything") {
    stand s{3};
    s.rule();
    const log_index mine = s.propose();
    s.forget();
    s.step(terminate{});
    CHECK(s.count<handover>(three) == 0);
    s.ack(three, mine);
    s.tick();
    REQUIRE(s.count<handover>(three) == 1);
    const permit p = s.last_said<handover>(three).permit;
    CHECK(p.old_primary == two);
    CHECK(p.last_index == mine);
    CHECK(p.epoch == s.epoch_now());
    CHECK(s.last_said<handover>(three).target == three);
}

TEST_CASE("B.10.4: the successor claims at once, without a round") {
    heir h;
    h.s.say(three, handover{.target = two, .permit = h.allowed()}, epoch{2});
    CHECK(h.s.role() == role_name::candidate);
    CHECK(h.s.count<election>(one) == 0);
    const auto said = h.s.last_said<claim>(one);
    CHECK(said.handover);
    CHECK(said.permit == h.allowed());
    CHECK(h.s.count<claim>(three) == 1);
    CHECK(h.s.epoch_now() == epoch{3});
}

TEST_CASE("B.10.4: HANDOVER to another, or for another log, is not followed") {
    heir h;
    handover m{.target = two, .permit = h.allowed()};
    SECTION("another target") {
        m.target = one;
    }
    SECTION("another end of the log") {
        m.permit.last_index = log_index{6};
    }
    SECTION("another primary") {
        m.permit.old_primary = one;
    }
    h.s.say(three, m, epoch{2});
    CHECK(h.s.role() == role_name::backup);
    CHECK(h.s.epoch_now() == epoch{2});
}

TEST_CASE("B.10.4: on denied(EPOCH) it claims once more above it, with the same permit") {
    heir h;
    h.s.say(three, handover{.target = two, .permit = h.allowed()}, epoch{2});
    h.s.forget();
    h.s.deny(one, epoch{3}, denial::epoch, epoch{8});
    CHECK(h.s.role() == role_name::candidate);
    CHECK(h.s.epoch_now() == epoch{9});
    CHECK(h.s.last_said<claim>(one).permit == h.allowed());
    h.s.forget();
    h.s.deny(one, epoch{9}, denial::epoch, epoch{20});
    CHECK(h.s.count<claim>(one) == 0);
}

TEST_CASE("B.10.4: on denied(ALIVE) it is BACKUP again") {
    heir h;
    h.s.say(three, handover{.target = two, .permit = h.allowed()}, epoch{2});
    h.s.deny(three, epoch{3}, denial::alive, epoch{2});
    CHECK(h.s.role() == role_name::backup);
}

TEST_CASE("B.10.4: a voter with a live primary promises for a valid permit, and for no other") {
    heir h;
    const std::optional<permit> valid = h.allowed();
    claim m{.rank = stand::rank(one, epoch{2}, log_index{5}), .handover = true, .permit = valid};
    bool granted = false;
    SECTION("valid") {
        granted = true;
    }
    SECTION("none") {
        m.permit.reset();
    }
    SECTION("another primary") {
        m.permit->old_primary = one;
    }
    SECTION("another epoch") {
        m.permit->epoch = epoch{1};
    }
    SECTION("another end than the claimant's") {
        m.permit->last_index = log_index{4};
    }
    SECTION("a claimant with less than this one") {
        m.permit->last_index = log_index{4};
        m.rank = stand::rank(one, epoch{2}, log_index{4});
    }
    h.s.say(one, m, epoch{3});
    const auto said = h.s.last_said<promise>(one);
    CHECK(said.granted == granted);
    CHECK(said.reason == (granted ? denial::none : denial::alive));
    CHECK(h.s.epoch_now() == (granted ? epoch{3} : epoch{2}));
    CHECK((h.s.status().durable.epoch == epoch{2}) == !granted);
}

TEST_CASE("B.10.4: the old primary honours only the permit that is outstanding now") {
    leaving l;
    const permit given = l.given();
    SECTION("that one: it promises, and clients are told who follows") {
        l.claims(three, given);
        CHECK(l.s.last_said<promise>(three).granted);
        CHECK(l.s.role() == role_name::backup);
        REQUIRE(l.s.office.size() == 1);
        CHECK(std::get<left_office>(l.s.office[0]).successor == three);
    }
    SECTION("not by another server") {
        l.claims(one, given);
    }
    SECTION("not another one") {
        permit other = given;
        other.probe = probe_number{given.probe.value() + 1};
        l.claims(three, other);
    }
    SECTION("none") {
        l.claims(three, std::nullopt);
    }
    SECTION("not when it is over") {
        for (int i = 0; i < 11; ++i) {
            l.s.run(50ms);
            l.s.ack_all();
        }
        REQUIRE(l.s.role() == role_name::primary);
        l.s.forget();
        l.claims(three, given);
        CHECK_FALSE(l.s.last_said<promise>(three).granted);
    }
}

TEST_CASE("B.10.5: COORDINATOR of the new epoch ends the office, and the process") {
    leaving l;
    l.s.say(three, coordinator{.primary = three}, l.mine.next());
    CHECK(l.s.role() == role_name::backup);
    REQUIRE(l.s.office.size() == 1);
    CHECK(std::get<left_office>(l.s.office[0]).successor == three);
    REQUIRE(l.s.died);
    CHECK(l.s.died->how == ending::stopped);
}

TEST_CASE("B.10.6: after 500 ms the next one is asked once, then it resigns") {
    leaving l;
    REQUIRE(l.s.count<handover>(three) == 1);
    const auto alive = [&l](duration length) {
        for (duration passed{0}; passed < length && l.s.role() == role_name::primary;
             passed += 50ms) {
            l.s.run(50ms);
            if (l.s.role() == role_name::primary) {
                l.s.ack_all();
            }
        }
    };
    alive(450ms);
    CHECK(l.s.count<handover>(one) == 0);
    alive(100ms);
    CHECK(l.s.count<handover>(one) == 1);
    alive(600ms);
    CHECK(l.s.role() != role_name::primary);
    CHECK(l.s.count<resign>(one) == 1);
}

TEST_CASE("B.10.6: the process ends at the latest after 3 s") {
    leaving l;
    for (int i = 0; i < 70 && !l.s.died; ++i) {
        l.s.run(50ms);
    }
    REQUIRE(l.s.died);
    CHECK(l.s.died->how == ending::stopped);
}

TEST_CASE("B.10.6: who has resigned and is left alone waits for nobody") {
    stand s{3};
    s.rule();
    s.close(three);
    SECTION("alone") {
        s.close(one);
        s.step(terminate{});
        s.run(301ms);
        REQUIRE(s.died);
        CHECK(s.died->how == ending::stopped);
    }
    SECTION("one could rule with its promise") {
        s.say(one, append_nack{.reason = nack_reason::sick}, s.epoch_now());
        s.step(terminate{});
        s.run(400ms);
        CHECK(s.role() != role_name::primary);
        CHECK_FALSE(s.died);
        s.close(one);
        s.run(100ms);
        CHECK(s.died);
    }
}

TEST_CASE("B.10: terminate ends a backup at once") {
    stand s{3};
    s.follow(three, epoch{2});
    s.step(terminate{});
    REQUIRE(s.died);
    CHECK(s.died->how == ending::stopped);
}

TEST_CASE("B.10: an operator's transfer goes to who was named, and a void one changes nothing") {
    stand s{3};
    s.rule();
    s.forget();
    s.step(transfer{.target = one});
    CHECK(s.count<handover>(one) == 1);
    CHECK(s.count<handover>(three) == 0);
    SECTION("and is over when nobody follows") {
        for (int i = 0; i < 30; ++i) {
            s.run(50ms);
            if (s.role() == role_name::primary) {
                s.ack_all();
            }
        }
        CHECK(s.count<handover>(three) == 0);
        CHECK((s.role() != role_name::primary || s.core().next_slot(s.now())));
    }
}

TEST_CASE("B.13: a disk that stalls for disk_stall hands over to a healthy target") {
    stand s{3};
    s.rule();
    s.disk_is_fast = false;
    s.forget();
    const log_index mine = s.propose();
    for (int i = 0; i < 49; ++i) {
        s.run(10ms);
        s.ack(one, mine);
        s.ack(three, mine);
    }
    CHECK(s.count<handover>(three) == 0);
    CHECK(s.status().eligible == 2);
    s.run(20ms);
    s.ack(one, mine);
    s.ack(three, mine);
    s.tick();
    CHECK(s.count<handover>(three) == 1);
    CHECK(s.status().eligible == 1);
}

namespace {

/// The own disk hangs for that long, and a heartbeat of each peer says how long its own takes.
void hangs(stand& s, duration length, std::uint32_t lag_of_one, std::uint32_t lag_of_three) {
    const log_index mine = s.last().index;
    const auto acks = [&](server_id peer, std::uint32_t lag) {
        s.say(peer, heartbeat_ack{.probe = {}, .match = mine, .disk_lag_ms = lag}, s.epoch_now());
    };
    for (duration passed{0}; passed < length; passed += 10ms) {
        s.run(10ms);
        acks(one, lag_of_one);
        acks(three, lag_of_three);
    }
}

} // namespace

TEST_CASE("B.10: the disk is handed over only to a server whose own is clearly faster") {
    stand s{3};
    s.rule();
    s.disk_is_fast = false;
    s.forget();
    s.propose();
    SECTION("the one that is, though the other comes first") {
        hangs(s, 520ms, 100, 300);
        CHECK(s.count<handover>(one) == 1);
        CHECK(s.count<handover>(three) == 0);
    }
    SECTION("none is: it stays, and goes on with their disks") {
        hangs(s, 3s, 300, 900);
        CHECK(s.count<handover>(one) + s.count<handover>(three) == 0);
        CHECK(s.role() == role_name::primary);
        CHECK(s.core().next_slot(s.now()));
        CHECK(s.status().commit == s.last().index);
    }
}

TEST_CASE("B.10: a disk that nobody takes over stays in office, and asks nobody for a while") {
    stand s{3};
    s.rule();
    s.disk_is_fast = false;
    s.forget();
    s.propose();
    hangs(s, 1800ms, 0, 0); // Each is asked once, and neither claims.
    CHECK(s.count<handover>(one) == 1);
    CHECK(s.count<handover>(three) == 1);
    CHECK(s.count<resign>(one) == 0);
    CHECK(s.role() == role_name::primary);
    hangs(s, 5s, 0, 0);
    CHECK(s.count<handover>(one) + s.count<handover>(three) == 2);
    hangs(s, 5s, 0, 0);
    CHECK(s.count<handover>(one) + s.count<handover>(three) > 2);
}

TEST_CASE("B.10: who was handed the office does not hand it on at once because of its disk") {
    stand s{3};
    s.follow(three, epoch{2});
    const permit given{
        .old_primary = three, .epoch = s.last().epoch, .last_index = s.last().index, .probe = {}};
    s.say(three, handover{.target = two, .permit = given}, epoch{2});
    s.promise(three, epoch{3});
    s.promise(one, epoch{3});
    REQUIRE(s.role() == role_name::primary);
    s.ack_all();
    s.disk_is_fast = false;
    s.forget();
    s.propose();
    hangs(s, 5s, 0, 0);
    CHECK(s.count<handover>(one) + s.count<handover>(three) == 0);
    CHECK(s.role() == role_name::primary);
    hangs(s, 5s, 0, 0);
    CHECK(s.count<handover>(one) + s.count<handover>(three) > 0);
}

TEST_CASE("B.10: a disk's lag is the longest of what waits and of the last write") {
    stand s{3};
    s.follow(three, epoch{2});
    s.disk_is_fast = false;
    const history log = history{test::cluster_of(3)}.add(epoch{2}, 2);
    s.append(three, epoch{2}, log, log_index{2}, log_index{2});
    s.run(300ms);
    s.heartbeat(three, epoch{2});
    CHECK(s.last_said<heartbeat_ack>(three).disk_lag_ms == 300);
    s.run(100ms);
    s.sync_log();
    s.heartbeat(three, epoch{2});
    CHECK(s.last_said<heartbeat_ack>(three).disk_lag_ms == 400);
    s.append(three, epoch{2}, log, log_index{3}, log_index{3});
    s.run(7ms);
    s.sync_log();
    s.heartbeat(three, epoch{2});
    CHECK(s.last_said<heartbeat_ack>(three).disk_lag_ms == 7);
}

} // namespace almenara::replica
