#pragma once

#include "base/time.hpp"

#include <chrono>
#include <optional>

namespace almenara::server {

/// When the one timer for everything that is due by itself is set anew (decision 004). It never
/// comes late. It may come early: under load what is due moves on with each turn, and a timer that
/// moved with it would cost more than one that comes for nothing now and then. Without load each of
/// those wakes a server that could have slept.
class turn_timer {
  public:
    /// It moves to a later time no more often.
    static constexpr duration between_moves = std::chrono::milliseconds{10};

    /// At the end of a turn: whether the timer is to be set for that time. It counts as set then.
    [[nodiscard]] bool is_to_be_set(instant next, instant now);
    /// The timer came.
    void came() { set_for_ = instant::max(); }

  private:
    instant set_for_ = instant::max();
    std::optional<instant> moved_at_;
};

} // namespace almenara::server
