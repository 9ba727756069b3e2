#pragma once

#include "base/error.hpp"
#include "replica/gate.hpp"
#include "storage/core/reconcile.hpp"
#include "storage/core/start_log.hpp"
#include "storage/data_directory.hpp"
#include "storage/device.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace almenara::storage {

/// What the running log is made of; a write_ahead_log takes it.
struct log_parts {
    core::planner_start start;
    std::unique_ptr<device> log;        ///< for the disk thread
    std::unique_ptr<device> background; ///< for the one beside it
};

struct opened_log {
    replica::persistent meta;
    core::reconciled found;
    core::scan_verdict verdict = core::scan_verdict::clean;
    bool is_new = false;
    std::vector<std::string> warnings; ///< for the operator, once
    log_parts parts;

    /// What replica::start_state has from the disk.
    void give_to(replica::start_state& start) &&;
};

using core::missing_log;

struct open_log_options {
    core::log_settings settings;
    std::uint64_t seed = 0; ///< random, new at each start: the segments' uuids
    core::boot_id boot;     ///< of this_boot()
    missing_log missing = missing_log::is_refused;
    device_maker make; ///< none: the real directory
};

/// B.8, E.1: the start of the log in the directory `log` of a data directory, whose lock `in`
/// holds. When it returns, everything that was read is on the disk. `state` says how far the state
/// is; as it comes, if there is none.
[[nodiscard]] result<opened_log> open_log(const data_directory& in,
                                          const open_log_options& options,
                                          const core::state_row& state = {});

/// As the kernel names it (B.1).
[[nodiscard]] result<core::boot_id> this_boot();

} // namespace almenara::storage
