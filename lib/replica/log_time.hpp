#pragma once

#include "base/time.hpp"
#include "replica/gate.hpp"

#include <vector>

namespace almenara::replica {

/// B.4, log time during one term of office: the only clock of anything that expires. It follows
/// the primary's wall clock, never goes back, and advances by at most twice the time that passed,
/// so that one wrong clock expires nobody.
class log_clock {
  public:
    log_clock() = default;
    /// Taking office: behind the newest entry, and at most a day further, to the median of
    /// `clocks`: those of the servers that promised, and the own one.
    log_clock(wall_time newest, std::vector<wall_time> clocks, instant now);

    /// What an entry gets that is proposed now.
    [[nodiscard]] wall_time next(moment now) const;
    /// It was proposed.
    void given(moment now);

  private:
    wall_time time_; ///< of the newest entry
    instant at_;     ///< up to where the time that passed is accounted for
};

} // namespace almenara::replica
