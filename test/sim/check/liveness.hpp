#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/core.hpp"
#include "replica/gate.hpp"
#include "sim/check/findings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace almenara::sim::check {

/// How long things may take after the last fault (B.14).
struct liveness_terms {
    duration primary_within = std::chrono::seconds{2};
    duration in_sync_within = std::chrono::seconds{10};
};

/// I21 to I24, from the moment when faults have stopped for a connected majority.
class liveness {
  public:
    explicit liveness(findings& found, liveness_terms terms = {}) : found_(found), terms_(terms) {}

    /// `connected`: alive, reach each other, stay so, and are a majority of the voters that can
    /// together read every entry one of them once acked. Others may be dead, cut off or damaged.
    void faults_stopped(instant now, std::set<server_id> connected);

    /// Every turn of a server, and often enough in between for the clock to be seen.
    void took(server_id server,
              const replica::output& out,
              const replica::core_status& status,
              instant now);
    void clock(instant now);

    /// I23: the end of the phase. `held`: operations that did not end by their deadline. `running`:
    /// who has a process now; all that are connected must.
    void over(instant now, std::size_t held, const std::set<server_id>& running);

    /// A process ended. It is nobody's primary and in no sync set any more.
    void ended(server_id server, instant now);

    /// A primary has settled and everybody follows it: nothing is waited for any more, and from
    /// here on nothing of it may change.
    [[nodiscard]] bool satisfied() const { return settled_.has_value() && synced_; }

    /// The highest epoch's primary among the connected; of an older one nobody has heard yet.
    struct office {
        server_id id;
        epoch of;
    };
    [[nodiscard]] std::optional<office> newest_primary() const;

  private:
    struct seen {
        replica::role_name role = replica::role_name::boot;
        epoch of;
        std::set<server_id> in_sync;
    };

    void watch_primary(instant now);
    void watch_sync_set(const office& primary);
    [[nodiscard]] bool is_in_sync(const office& primary) const;

    findings& found_;
    liveness_terms terms_;
    instant since_;
    std::set<server_id> connected_;
    std::map<server_id, seen> servers_;
    std::optional<office> settled_; ///< who was primary when the time for finding one was over
    /// B.8: somebody lacks what the settled primary's log does not have. It may go then, each time
    /// to a log that begins earlier, so not for ever.
    bool somebody_out_of_reach_ = false;
    unsigned times_gone_ = 0;
    /// Everybody was in the sync set of the settled primary: nobody has a reason to leave it.
    bool synced_ = false;
};

} // namespace almenara::sim::check
