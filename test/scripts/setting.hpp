#pragma once

#include "replica/config.hpp"
#include "replica/entry.hpp"
#include "scripts/stage.hpp"

#include <string>
#include <vector>

/// What stands on the disks before anybody runs.
namespace almenara::scripts {

/// The config of servers 1 to n.
[[nodiscard]] replica::cluster_config config_of(const stage& on);

/// N servers with empty disks.
void add_servers(stage& on, std::uint16_t count);

/// Each has entry 1, as if the cluster had been started once (B.12).
void found_cluster(stage& on);

/// A log by its epochs: `1 2 2 3`; a letter behind one makes another content of the same epoch, as
/// only corruption can (`2b`). Entry 1 is the CONFIG, the first of an epoch its EPOCH_START.
void write_log(stage& on, server& s, const std::vector<std::string>& epochs);

/// Gives an APPEND or LOG_CHUNK that is injected its entries: behind this one of the receiver's
/// log, of these epochs. A chunk is of the link session between the two; a FETCH asks from there.
void add_entries(replica::message& to,
                 const stage& on,
                 direction way,
                 log_index behind,
                 const std::vector<std::string>& epochs);

/// The same entry with one bit turned, and the hash that it had.
[[nodiscard]] replica::entry_ptr with_a_bit_turned(const replica::entry& what);

} // namespace almenara::scripts
