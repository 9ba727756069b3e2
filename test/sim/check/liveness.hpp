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

/// I21 to I24, from the moment when faults have stopped for a connected majority.
class liveness {
  public:
    struct terms {
        duration primary_within = std::chrono::seconds{2};
        duration in_sync_within = std::chrono::seconds{10};
        /// Held operations have a deadline of their own, and this much more to be told.
        duration answer_within = std::chrono::seconds{5};
    };

    explicit liveness(findings& found) : liveness(found, terms{}) {}
    liveness(findings& found, terms what) : found_(found), terms_(what) {}

    /// `connected`: alive, reach each other, stay so, and are a majority of the voters that can
    /// together read every entry one of them once acked. Others may be dead, cut off or damaged.
    void faults_stopped(instant now, std::set<server_id> connected);

    /// Every turn of a server, and often enough in between for the clock to be seen.
    void took(server_id server,
              const replica::output& out,
              const replica::core_status& status,
              instant now);
    void clock(instant now);

    /// I23: the end of the phase. `held`: operations that are older than their deadline.
    void over(instant now, std::size_t held);

    [[nodiscard]] std::optional<server_id> primary() const;

  private:
    struct seen {
        replica::role_name role = replica::role_name::boot;
        epoch of;
        std::set<server_id> in_sync;
    };

    [[nodiscard]] bool all_in_sync() const;
    void watch_primary();

    findings& found_;
    terms terms_;
    instant since_;
    std::set<server_id> connected_;
    std::map<server_id, seen> servers_;
    std::optional<instant> primary_since_;
    std::optional<server_id> primary_;
    bool settled_ = false; ///< a primary exists and the time for finding one is over
    bool synced_ = false;
};

} // namespace almenara::sim::check
