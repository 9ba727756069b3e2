#include "unit/replica/stand.hpp"

// B.5 and D.4: who is in the sync set of a primary, and who leaves it.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::one;
using test::stand;
using test::three;
using test::two;

bool in_sync(const stand& s, server_id id) {
    return s.peer(id).in_sync;
}

/// Server 3 acks all that was cut until now, server 1 says nothing; `length` passes meanwhile.
void only_three_keeps_up(stand& s, duration length) {
    for (duration passed{0}; passed < length; passed += 10ms) {
        s.run(10ms);
        s.ack(three, s.last().index);
    }
}

} // namespace

TEST_CASE("B.5 sync set: a new primary trusts the links that are open and not silent") {
    stand s{3};
    s.open(three);
    s.pass(399ms);
    s.open(one);
    s.ask();
    s.answer(one, answer_kind::grant, s.rank_of(one));
    REQUIRE(s.run_until([&] { return s.role() == role_name::candidate; }));
    s.promise(one, s.epoch_now());
    REQUIRE(s.role() == role_name::primary);
    CHECK(s.peer(three).open);
    CHECK(in_sync(s, one));
    CHECK_FALSE(in_sync(s, three));
}

TEST_CASE("B.5 sync set: who kept up for sync_join is in again, under load too") {
    stand s{3};
    s.rule();
    s.propose();
    only_three_keeps_up(s, 210ms);
    REQUIRE_FALSE(in_sync(s, one));
    // Always 40 ms behind, less than sync_lag, while entries go on and on.
    std::deque<log_index> proposed;
    for (int i = 0; i < 30; ++i) {
        proposed.push_back(s.propose());
        s.ack(three, proposed.back());
        if (proposed.size() > 4) {
            s.ack(one, proposed[proposed.size() - 5]);
        }
        s.run(10ms);
    }
    CHECK(in_sync(s, one));
}

TEST_CASE("B.5 sync set: who is behind by more than sync_lag stays out") {
    stand s{3};
    s.rule();
    s.propose();
    only_three_keeps_up(s, 210ms);
    std::deque<log_index> proposed;
    for (int i = 0; i < 40; ++i) {
        proposed.push_back(s.propose());
        s.ack(three, proposed.back());
        if (proposed.size() > 8) {
            s.ack(one, proposed[proposed.size() - 9]);
        }
        s.run(10ms);
    }
    CHECK_FALSE(in_sync(s, one));
}

TEST_CASE("B.5 sync set: SICK is out at once") {
    stand s{3};
    s.rule();
    s.say(one, heartbeat_ack{.match = s.last().index, .sick = true}, s.epoch_now());
    CHECK_FALSE(in_sync(s, one));
}

TEST_CASE("D.4: three lost link sessions in 10 s keep a server out for 5 s") {
    stand s{3};
    s.rule();
    for (int i = 0; i < 3; ++i) {
        s.close(one);
        s.open(one);
    }
    const auto keep_up = [&s](duration length) {
        for (duration passed{0}; passed < length; passed += 50ms) {
            s.run(50ms);
            s.ack_all();
        }
    };
    s.ack_all();
    keep_up(4500ms);
    CHECK_FALSE(in_sync(s, one));
    keep_up(1s);
    CHECK(in_sync(s, one));
}

TEST_CASE("B.5 sync set: a new primary begins with the voters whose links are open") {
    const auto config = test::cluster_of(3);
    stand s{test::first_start(config, two)};
    s.open(three);
    s.ask();
    s.answer(three, answer_kind::grant, s.rank_of(three));
    s.promise(three, s.epoch_now());
    REQUIRE(s.role() == role_name::primary);
    CHECK(in_sync(s, three));
    CHECK(s.status().peers.size() == 2);
    CHECK_FALSE(in_sync(s, one));
}

} // namespace almenara::replica
