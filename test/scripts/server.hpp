#pragma once

#include "base/hlc.hpp"
#include "replica/core.hpp"
#include "scripts/disk.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace almenara::scripts {

/// A machine of the stage: its disk, and the process that runs on it or does not.
struct server {
    server_id id;
    data_uuid uuid;
    std::uint16_t priority = 0;
    disk storage;
    bool powered = true;
    bool unclean = false;                         ///< it lost its power: the next start knows (B.1)
    std::optional<replica::damage> found_damaged; ///< what the next scan finds

    std::optional<replica::core> core;
    hybrid_clock clock;
    std::uint64_t starts = 0;
    bool paused = false;
    instant paused_at;
    duration gap{0}; ///< how long the loop did not run, for the next tick
    std::optional<instant> wake;
    std::multimap<instant, replica::event> later; ///< what the driver answers itself

    /// The state, which is nothing but the list of what was applied; it survives a process.
    std::vector<replica::entry_ptr> applied;
    std::set<std::uint64_t> readable; ///< tickets that were answered in this process

    [[nodiscard]] bool runs() const { return core.has_value(); }
    [[nodiscard]] replica::incarnation incarnation() const {
        constexpr std::uint64_t starts_apart = 1000;
        return replica::incarnation{id.value() * starts_apart + starts};
    }
    [[nodiscard]] bool reads() const { return powered && !(runs() && paused); }
};

/// What the scan of the disk finds, as storage would hand it to a new process.
[[nodiscard]] replica::start_state start_state_of(server& s,
                                                  const std::vector<server_id>& listed,
                                                  replica::confirm_policy confirm);

} // namespace almenara::scripts
