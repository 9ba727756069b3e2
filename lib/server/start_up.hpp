#pragma once

#include "base/error.hpp"
#include "replica/gate.hpp"
#include "server/cluster_options.hpp"
#include "storage/data_directory.hpp"
#include "storage/open_log.hpp"
#include "storage/state_db.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace almenara::server {

/// Random numbers of the system.
[[nodiscard]] std::uint64_t random_number();

/// What a server begins with, once everything that was read is on the disk (B.8).
struct start_up {
    replica::start_state core;
    storage::log_parts log;
    std::unique_ptr<storage::state_db> state;
    storage::cluster_record cluster;
    std::string directory;             ///< where all of that is
    std::vector<std::string> warnings; ///< for the operator
};

/// Identity, then the state, the log, and what is known of the cluster. `address`: where others
/// reach this server. A log is made only in a directory that never had one (B.1).
[[nodiscard]] result<start_up> start(storage::data_directory& directory,
                                     const cluster_options& wanted,
                                     const std::string& address);

} // namespace almenara::server
