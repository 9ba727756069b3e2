#pragma once

#include "base/time.hpp"
#include "state/attachments.hpp"
#include "state/ids.hpp"
#include "state/limits.hpp"
#include "state/needs.hpp"
#include "state/session_table.hpp"
#include "state/table_view.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace almenara::state {

/// Looks through the sessions, some at a time, for those that nobody needs any more and for those
/// that somebody has who only reads (C.1). It decides by log time and nothing else.
class sweeper {
  public:
    /// `bounds` outlive it and its copies.
    explicit sweeper(const limits& bounds) : bounds_(&bounds) {}

    struct findings {
        std::vector<session_id> expired;
        std::vector<session_id> to_touch;
        [[nodiscard]] bool empty() const { return expired.empty() && to_touch.empty(); }
    };

    /// What it looks at, and what was missed there: when that is much already it does not go on.
    struct sight {
        const table_view& rows;
        const needs& missing;
        const attachments& present;
    };

    /// Goes on where the last call ended. What it finds must become an entry, or is found again.
    [[nodiscard]] findings look(const sight& seen, wall_time now);

    /// The session that is idle longest, of those that the last whole pass has found; I28: not
    /// one that is protected.
    struct oldest {
        std::optional<session_id> session;
        std::size_t looked_at = 0;
    };
    [[nodiscard]] oldest find_oldest(const sight& seen) const;
    /// It ends now, and whoever came before it is not idle any more.
    void took(const oldest& found);

    /// From the beginning: another office.
    void start_again();

  private:
    struct candidate {
        wall_time active;
        session_id session;
        std::uint32_t results = 0;
        friend auto operator<=>(const candidate&, const candidate&) = default;
    };

    /// What one entry may still hold.
    struct room {
        std::size_t sessions;
        std::uint32_t results;
        [[nodiscard]] bool take(const candidate& one);
    };

    void judge(const candidate& one,
               const attachments& present,
               wall_time now,
               room& left,
               findings& found);
    void remember(const candidate& one);
    [[nodiscard]] bool has_asked_enough(const sight& seen) const {
        return seen.missing.size() >= bounds_->asked_at_once;
    }
    [[nodiscard]] static bool may_still_expire(const candidate& one, const sight& seen);
    void expire_beyond_limit(const sight& seen, room& left, findings& found);

    const limits* bounds_;
    std::string next_key_{session_prefix};
    std::set<candidate> oldest_; ///< of this pass over all sessions, without the protected ones
    std::set<candidate> due_;    ///< the same of the last whole pass, while there are too many
};

} // namespace almenara::state
