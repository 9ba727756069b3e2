#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/settings.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <set>

namespace almenara::replica {

/// B.5: the voters that keep up. A confirmed entry is on the disk of every one of them, and one
/// that falls behind leaves the set instead of holding everybody up. The primary is in it too.
class sync_set {
  public:
    /// B.5: a new primary starts with all voters it has no doubt about.
    sync_set(const timers& timers,
             const std::set<server_id>& voters,
             const std::set<server_id>& trusted,
             log_index last,
             instant now);

    [[nodiscard]] bool contains(server_id id) const { return in_.contains(id); }
    [[nodiscard]] const std::set<server_id>& members() const { return in_; }

    /// Entries up to `last` were handed out.
    void cut(log_index last, instant now);
    void committed(log_index commit, instant now);

    /// What is so about a voter now; called before its match changes and at ticks, so that a
    /// moment in which it was behind is not overlooked.
    void observe(server_id id, log_index match, bool fit, instant now);

    /// CLOSED, SICK, NO_SPACE: out in the same turn. Kept out until `not_before` (D.4).
    void remove(server_id id, instant not_before);

    /// When something may change although nothing happens.
    [[nodiscard]] instant next_change(server_id id, log_index match) const;

  private:
    struct voter {
        instant behind_at;  ///< the last moment at which it was
        instant not_before; ///< flapping
    };
    struct mark {
        log_index index;
        instant at;
    };

    [[nodiscard]] log_index commit_before(instant at) const;
    [[nodiscard]] instant unacked_since(log_index match, instant now) const;

    timers timers_;
    std::map<server_id, voter> voters_;
    std::set<server_id> in_;
    std::deque<mark> cuts_;
    std::deque<mark> commits_;
};

} // namespace almenara::replica
