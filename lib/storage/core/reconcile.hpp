#pragma once

#include "base/ids.hpp"
#include "replica/entry.hpp"
#include "replica/gate.hpp"
#include "storage/core/meta.hpp"
#include "storage/core/scan.hpp"

#include <optional>
#include <vector>

namespace almenara::storage::core {

/// The row that the state keeps of itself: how far it is (B.4).
struct state_row {
    replica::log_point applied;
    /// The CONFIG in force there, as an entry; it may be older than all that is left of the log.
    replica::entry_ptr config;
    wall_time time; ///< of the entry at `applied`
};

/// The parts of replica::start_state that come from the disk, and where the log goes on.
struct reconciled {
    replica::log_point base;
    std::vector<replica::log_point> positions;
    std::vector<replica::entry_ptr> recent;
    std::vector<replica::entry_ptr> configs;
    log_index applied;
    wall_time time_at_base; ///< of a log that was given up
    std::optional<replica::damage> found_damaged;
    bool unclean_boot = false;
    log_position position;
    /// B.8: the state was ahead of what the log has, or does not agree with it: the log begins
    /// anew behind the state.
    bool log_given_up = false;

    void give_to(replica::start_state& start) &&;
};

/// B.8: brings together what the log, `meta` and the state say. `scanned.map` is not changed.
[[nodiscard]] reconciled reconcile(scan_result& scanned,
                                   const meta_fields& meta,
                                   const state_row& state,
                                   const boot_id& boot);

} // namespace almenara::storage::core
