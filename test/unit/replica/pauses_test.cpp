#include "unit/replica/stand.hpp"

// D.3: whoever was paused blames nobody else for the silence, once.
namespace almenara::replica {

namespace {

using namespace std::chrono_literals;
using test::one;
using test::stand;
using test::three;

} // namespace

TEST_CASE("D.3: a backup excuses the silence after an own pause once") {
    stand s{3};
    s.follow(three, epoch{2});
    s.pass(500ms);
    s.tick(500ms);
    CHECK(s.status().known_primary == three);
    s.pass(101ms); // Two heartbeats.
    s.tick(101ms);
    CHECK_FALSE(s.status().known_primary);
}

TEST_CASE("D.3: what the primary says ends the excuse, and the next pause has its own") {
    stand s{3};
    s.follow(three, epoch{2});
    for (int i = 0; i < 3; ++i) {
        s.pass(500ms);
        s.tick(500ms);
        CHECK(s.status().known_primary == three);
        s.heartbeat(three, epoch{2});
    }
}

TEST_CASE("D.3: a backup whose loop is always late suspects a primary that is gone") {
    stand s{3};
    s.follow(three, epoch{2});
    s.forget();
    for (int i = 0; i < 20; ++i) {
        s.pass(70ms);
        s.tick(60ms);
    }
    CHECK(s.count<election>(one) > 0);
}

TEST_CASE("D.3: a primary excuses the silence of its majority after an own pause once") {
    stand s{3};
    s.rule();
    s.pass(500ms);
    s.tick(500ms);
    CHECK(s.role() == role_name::primary);
    SECTION("and steps down if it goes on") {
        s.pass(101ms);
        s.tick(101ms);
        CHECK(s.role() != role_name::primary);
    }
    SECTION("and stays if somebody speaks") {
        s.ack(three, s.last().index);
        s.pass(101ms);
        s.tick(101ms);
        CHECK(s.role() == role_name::primary);
    }
}

TEST_CASE("D.3: a primary whose loop is always late steps down when it is alone") {
    stand s{3};
    s.rule();
    for (int i = 0; i < 10; ++i) {
        s.pass(130ms);
        s.tick(110ms);
    }
    CHECK(s.role() != role_name::primary);
}

} // namespace almenara::replica
