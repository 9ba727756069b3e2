#pragma once

#include "base/ids.hpp"
#include "replica/gate.hpp"
#include "replica/settings.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace almenara::replica {

class machine;

/// What a proposal made now will be.
struct slot {
    log_index index;
    wall_time time; ///< log time (B.4)
};

struct peer_status {
    server_id id;
    bool open = false;
    std::optional<connection_id> control; ///< of the present link session
    std::optional<link_session> session;
    log_index match; ///< as a primary credits it in this link session
    log_index next;
    bool in_sync = false;
    std::size_t in_flight = 0;                  ///< entries
    std::optional<instant> last_heard = {};     ///< since this process runs
    std::optional<std::uint16_t> priority = {}; ///< as it said last
    bool over_bulk = false;                     ///< far behind: it gets old entries
    bool out_of_reach = false;                  ///< it lacks what was recycled here
    bool sick = false;
    bool draining = false;
    bool no_space = false;
    bool can_succeed = false; ///< B.10: it may be asked to take over
};

/// What is so now, for `status`, and for checks that look at all servers at once.
struct core_status {
    role_name role = role_name::boot;
    almenara::epoch epoch;
    persistent durable; ///< as far as meta_synced told
    std::optional<server_id> known_primary;
    log_point last;
    log_index commit;
    log_index config_index;
    log_index durable_upto; ///< own log, as it is now in memory
    log_index confirmed_upto;
    log_index applied;
    log_index first; ///< of the own log; what was before it is recycled
    /// B.8: no log may be recycled above it; 0 while the log of a voter is not known.
    log_index floor;
    std::optional<damage> damaged;
    std::uint8_t eligible = 0;
    std::uint8_t reach = 0;
    bool draining = false;
    bool handing_over = false; ///< a primary
    std::vector<peer_status> peers;
    std::size_t waiting_sends = 0;
    std::size_t log_memory = 0; ///< bytes of entries held in memory
    bool in_sync = false;       ///< a primary: itself in its sync set
    bool no_space = false;      ///< E.1
    /// E.1, a primary: a majority of the voters has space for operations that add something.
    bool may_grow = true;
};

/// Replication and election as pure code (B.15): events in, one output out, no clock, no socket,
/// no thread. The same object runs under the daemon's reactor and under the simulator.
class core {
  public:
    explicit core(start_state start, settings chosen, moment now);
    ~core();
    core(core&&) noexcept;
    core& operator=(core&&) noexcept;

    /// Time never goes back between two steps.
    void step(moment now, event what);

    /// Once per turn, after all that was readable was stepped. `cut`: the proposals since the last
    /// cut become one log_write and one APPEND per link; when to do so is the driver's decision.
    [[nodiscard]] output take_output(moment now, bool cut);

    /// Where the next proposal goes; nothing while none is accepted.
    [[nodiscard]] std::optional<slot> next_slot(moment now) const;

    /// Entries of the own log above commit, for the overlay of a new office.
    [[nodiscard]] std::vector<entry_ptr> entries_from(log_index first,
                                                      const entry_bounds& most = {}) const;

    /// What this term of office confirmed; 0 outside of office (B.5.2).
    [[nodiscard]] log_index confirmed_upto() const;

    [[nodiscard]] core_status status() const;
    /// The same as in there, for who asks each turn.
    [[nodiscard]] log_index commit() const;
    [[nodiscard]] const cluster_config* config() const;

    /// Position of an entry of the own log; nothing where there is none.
    [[nodiscard]] std::optional<log_point> position(log_index index) const;

  private:
    std::unique_ptr<machine> machine_;
};

} // namespace almenara::replica
