#pragma once

#include "replica/gate.hpp"
#include "storage/core/log_device.hpp"
#include "storage/core/log_map.hpp"

#include <vector>

namespace almenara::storage::core {

/// Where the entries are that somebody asked for. Made by the log's owner, executed elsewhere.
struct read_plan {
    replica::log_request wanted; ///< `to` is synced
    std::vector<log_map::found> batches;
    bool recycled = false; ///< what is not there is not missing
};

/// Never from what is not synced: it could be another entry after a crash.
[[nodiscard]] read_plan plan_read(const log_map& map,
                                  replica::log_request wanted,
                                  log_index durable);

/// Checksums and the chain are verified. What cannot be read, or is another, is a hole if it is the
/// first that was wanted; else the answer ends before it. An answer without entries that is no hole
/// says that the log was cut before what was wanted.
[[nodiscard]] replica::log_read read_entries(device& from, const read_plan& plan);

} // namespace almenara::storage::core
