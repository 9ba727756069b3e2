#pragma once

#include "base/error.hpp"
#include "replica/gate.hpp"
#include "storage/core/log_device.hpp"
#include "storage/core/log_planner.hpp"
#include "storage/core/reconcile.hpp"

#include <cstdint>
#include <utility>

namespace almenara::storage::core {

/// Whether a log may be made where there is none. A server that once had one must not forget what
/// it promised (B.1).
enum class missing_log : std::uint8_t { is_made, is_refused };

struct start_options {
    log_settings settings;
    std::uint64_t seed = 0; ///< random, new at each start: the segments' uuids
    boot_id boot;           ///< of the machine, as it runs now
    missing_log missing = missing_log::is_refused;
};

struct started_log {
    replica::persistent meta;
    reconciled found;
    scan_verdict verdict = scan_verdict::clean;
    bool is_new = false;
    bool past_cache = true; ///< everything was read from the medium (E.1)
    planner_start start;    ///< for what is written from here on

    /// What replica::start_state has from the disk.
    void give_to(replica::start_state& into) && {
        into.meta = std::move(meta);
        std::move(found).give_to(into);
    }
};

/// B.8, E.1: the start of a log, step by step. When it returns, everything that was read is on the
/// disk. `state` says how far the state is; as it comes, if there is none.
[[nodiscard]] result<started_log> start_log(device& on,
                                            const start_options& options,
                                            const state_row& state);

} // namespace almenara::storage::core
