#include "unit/replica/stand.hpp"

// E.1: a disk that is nearly full.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::one;
using test::stand;
using test::three;
using test::two;

constexpr disk_report little{.free_space = std::uint64_t{255} << 20U};
constexpr disk_report nearly{.free_space = std::uint64_t{300} << 20U};
constexpr disk_report enough{.free_space = std::uint64_t{320} << 20U};

/// What a backup acks a HEARTBEAT with.
void says(stand& s, server_id peer, bool no_space) {
    s.say(peer, heartbeat_ack{.probe = {}, .match = s.peer(peer).match, .no_space = no_space},
          s.epoch_now());
}

} // namespace

TEST_CASE("E.1: a server with little room is eligible if nobody better is, and says so once") {
    stand s{3};
    s.follow(one, epoch{2});
    CHECK(s.status().eligible == 2);
    s.step(little);
    CHECK(s.status().no_space);
    CHECK(s.status().eligible == 1);
    CHECK(s.noted(note_kind::space));
    s.heartbeat(one, epoch{2});
    CHECK(s.last_said<heartbeat_ack>(one).no_space);
    s.forget();
    s.step(little);
    CHECK_FALSE(s.noted(note_kind::space));
    s.step(nearly); // What a compaction gives back is taken again.
    CHECK(s.status().no_space);
    s.step(enough);
    CHECK(s.noted(note_kind::space));
    CHECK(s.status().eligible == 2);
    s.heartbeat(one, epoch{2});
    CHECK_FALSE(s.last_said<heartbeat_ack>(one).no_space);
}

TEST_CASE("E.1: what adds something needs room on a majority of the voters") {
    stand s{3};
    s.rule();
    CHECK(s.status().may_grow);
    says(s, one, true);
    CHECK(s.peer(one).no_space);
    CHECK(s.status().may_grow);
    SECTION("another one is away, and who is there is a quorum only with a full one") {
        s.close(three);
        CHECK_FALSE(s.status().may_grow);
    }
    SECTION("another one has none either") {
        says(s, three, true);
        CHECK_FALSE(s.status().may_grow);
        CHECK(s.role() == role_name::primary);
        says(s, one, false);
        CHECK(s.status().may_grow);
    }
}

TEST_CASE("E.1: who is away is no question of space: what is asked waits for a quorum") {
    stand s{3};
    s.rule();
    const auto everybody_dies = [&s] {
        s.close(one);
        s.close(three);
    };
    SECTION("all had room") {
        says(s, one, false);
        says(s, three, false);
        everybody_dies();
    }
    SECTION("one had none") {
        says(s, one, true);
        everybody_dies();
    }
    SECTION("this one has none") {
        s.step(little);
        everybody_dies();
    }
    CHECK(s.role() == role_name::primary);
    CHECK(s.status().may_grow);
    const log_index waiting = s.propose();
    CHECK(s.status().commit < waiting);
    s.open(one);
    says(s, one, false);
    CHECK(s.status().may_grow == !s.status().no_space);
}

TEST_CASE("E.1: a quorum of those who are there is asked, and who is away is not") {
    stand s{5};
    s.rule();
    s.close(server_id{4});
    s.close(server_id{5});
    CHECK(s.status().may_grow);
    says(s, one, true);
    CHECK_FALSE(s.status().may_grow);
    s.open(server_id{4});
    CHECK(s.status().may_grow);
}

TEST_CASE("E.1: what nobody said yet is no room to hand over to") {
    stand s{3};
    s.step(little);
    s.rule();
    s.ack_all();
    s.run(20ms);
    CHECK(s.count<handover>(one) + s.count<handover>(three) == 0);
    says(s, one, true);
    says(s, three, false);
    s.tick();
    CHECK(s.count<handover>(one) == 0);
    CHECK(s.count<handover>(three) == 1);
    SECTION("who does not take over is not asked again at once, and this one stays") {
        s.forget();
        for (int i = 0; i < 80; ++i) {
            s.run(50ms);
            s.ack_all();
            says(s, three, false);
        }
        CHECK(s.role() == role_name::primary);
        CHECK(s.count<handover>(three) == 0);
        CHECK(s.count<resign>(one) == 0);
    }
}

TEST_CASE("E.1: a primary without room hands over to who has some") {
    stand s{3};
    s.rule();
    SECTION("there is one") {
        says(s, one, false);
        says(s, three, true);
        s.forget();
        s.step(little);
        s.tick();
        CHECK(s.count<handover>(one) == 1);
        CHECK(s.count<handover>(three) == 0);
    }
    SECTION("there is none: it goes on, and all may be erased") {
        says(s, one, true);
        says(s, three, true);
        s.forget();
        s.step(little);
        for (int i = 0; i < 20; ++i) {
            s.run(50ms);
            s.ack_all();
        }
        CHECK(s.count<handover>(one) + s.count<handover>(three) == 0);
        CHECK(s.role() == role_name::primary);
        CHECK_FALSE(s.status().may_grow);
        const log_index erased = s.propose();
        s.ack_all();
        CHECK(s.status().commit == erased);
    }
}

TEST_CASE("B.10.2: of two that are as far the one with room is asked") {
    stand s{3};
    s.rule();
    says(s, three, true);
    s.forget();
    s.step(transfer{.target = std::nullopt});
    CHECK(s.count<handover>(one) == 1);
}

} // namespace almenara::replica
