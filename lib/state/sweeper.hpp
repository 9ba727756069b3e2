#pragma once

#include "base/time.hpp"
#include "state/attachments.hpp"
#include "state/ids.hpp"
#include "state/limits.hpp"
#include "state/rows.hpp"
#include "state/table_view.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace almenara::state {

/// Looks through the sessions, some at a time, for those that nobody needs any more and for those
/// that somebody has who only reads (C.1). It decides by log time and nothing else.
class sweeper {
  public:
    explicit sweeper(const limits& bounds) : bounds_(bounds) {}

    struct findings {
        std::vector<session_id> expired;
        std::vector<session_id> to_touch;
        [[nodiscard]] bool empty() const { return expired.empty() && to_touch.empty(); }
    };

    /// Goes on where the last call ended. What it finds must become an entry, or is found again.
    [[nodiscard]] findings look(const table_view& rows, const attachments& present, wall_time now);

    /// From the beginning: another office.
    void start_again();

  private:
    struct idle_since {
        wall_time active;
        session_id session;
        friend auto operator<=>(const idle_since&, const idle_since&) = default;
    };

    const limits& bounds_;
    std::string next_key_;
};

} // namespace almenara::state
