#include "server/turn_timer.hpp"

#include <catch2/catch_all.hpp>

// Decision 004: one timer for everything that is due by itself.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;

/// Ends turns, and counts what the timer does.
class turn_stand {
  public:
    /// A turn, at whose end that much time is left until something is due.
    void turn(duration left) {
        if (due_.is_to_be_set(now_ + left, now_)) {
            set_for_ = now_ + left;
            ++set_;
        }
    }
    void turn_with_nothing_due() { CHECK_FALSE(due_.is_to_be_set(instant::max(), now_)); }

    /// Time goes by; the timer comes if it is due.
    void pass(duration time) {
        now_ = now_ + time;
        if (now_ >= set_for_) {
            set_for_ = instant::max();
            due_.came();
            ++came_;
        }
    }

    [[nodiscard]] instant now() const { return now_; }
    [[nodiscard]] instant set_for() const { return set_for_; }
    [[nodiscard]] int set() const { return set_; }
    [[nodiscard]] int came() const { return came_; }

  private:
    turn_timer due_;
    instant now_{1h};
    instant set_for_ = instant::max();
    int set_ = 0;
    int came_ = 0;
};

} // namespace

TEST_CASE("decision 004: the timer is set for what is due, once") {
    turn_stand s;
    s.turn(50ms);
    CHECK(s.set_for() == s.now() + 50ms);
    s.pass(20ms);
    s.turn(30ms);
    CHECK(s.set() == 1);
}

TEST_CASE("decision 004: the timer never comes late") {
    turn_stand s;
    s.turn(50ms);
    for (const duration left : {20ms, 10ms, 1ms}) {
        s.turn(left);
        CHECK(s.set_for() == s.now() + left);
    }
    s.turn(100ms);
    s.turn(2ms); // It had moved back just now.
    CHECK(s.set_for() == s.now() + 2ms);
}

TEST_CASE("decision 004: without load the timer never comes for nothing") {
    turn_stand s;
    // A backup: each heartbeat is answered, and that puts off the ping that would be due.
    for (int heartbeats = 0; heartbeats < 100; ++heartbeats) {
        s.turn(100ms);
        s.pass(50ms);
    }
    CHECK(s.came() == 0);
}

TEST_CASE("decision 004: under load the timer moves rarely, and comes early") {
    turn_stand s;
    for (int turns = 0; turns < 20'000; ++turns) {
        s.turn(50ms);
        s.pass(50us);
    }
    // A second has gone by.
    CHECK(s.set() <= 101);
    CHECK(s.set_for() >= s.now());
    CHECK(s.set_for() < s.now() + 50ms);
}

TEST_CASE("decision 004: where something near is due in every other turn the timer stays there") {
    turn_stand s;
    for (int turns = 0; turns < 10'000; ++turns) {
        s.turn(turns % 2 == 0 ? duration{1ms} : duration{50ms});
        s.pass(100us);
    }
    // Near and back again, a hundred times a second at most, and when it came.
    CHECK(s.set() <= 2 * (101 + s.came()));
    CHECK(s.came() <= 1001);
}

TEST_CASE("decision 004: a timer for which nothing is left comes once") {
    turn_stand s;
    s.turn(5ms);
    s.turn_with_nothing_due();
    s.pass(5ms);
    CHECK(s.came() == 1);
    s.turn_with_nothing_due();
    CHECK(s.set() == 1);
    s.turn(5ms);
    CHECK(s.set() == 2);
}

} // namespace almenara::server
