#pragma once

#include "replica/gate.hpp"
#include "wire/described.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace almenara::sim {

/// What a run has seen. A search that never saw the interesting things has searched nothing.
enum class sight : std::uint8_t {
    office,                ///< somebody became primary
    entered_in_shares,     ///< ... and looked at its log in more than one turn (D.3)
    pull,                  ///< a prospect fetched a more recent log (E6)
    split_promise,         ///< voters promised one epoch to different candidates
    late_promise,          ///< a PROMISE won office after its candidate had given up (B.6)
    refuse_taken_back,     ///< (B.6)
    dropped_overlay,       ///< somebody left office with operations that nobody had confirmed
    handover,              ///< (B.10)
    truncation,            ///< a suffix was cut
    torn_tail,             ///< a start found the last write half done
    damaged_log,           ///< a start found what it once had unreadable
    damaged_unknown,       ///< the same without a known end: abstains
    damaged_while_running, ///< a read met a hole
    state_ahead,           ///< a start found a state that its log does not reach (B.8)
    kill_in_start,         ///< between two operations of it
    clean_stop,            ///< the log was sealed, and `meta` says so (B.1)
    new_segment,           ///< was opened
    recycled_segment,      ///< became a spare, or went
    misdirected_write,     ///< stands where it does not belong
    meta_slot_unreadable,  ///< one of the two, found by a start
    window_full,           ///< nothing more goes to a backup until it acks (B.13)
    repaired_log,          ///< `damaged` was cleared (B.8)
    bulk_catch_up,         ///< LOG_CHUNK on a bulk connection (B.8)
    kill,
    kill_in_output, ///< between two things of one output (B.15)
    disk_ran_ahead, ///< ... and what it had queued was begun all the same
    power_loss,
    power_loss_of_all,
    sync_error,
    slow_sync, ///< longer than any timer of the protocol
    lag,
    pause,
    partition,
    one_way_cut,
    client_cut_off, ///< a cut had clients on a side of it
    half_open,
    reset,
    clock_jump,
    wiped_disk,
    retry_found_result, ///< a retried operation was answered from the table (C.1)
    retry_attached,     ///< ... or waits for its entry of an older primary (B.5.2)
    read_served,
    waited_for_rows,   ///< a request did whose rows were not in memory (architecture 2)
    waited_in_line,    ///< ... and a later one of its session
    rows_out_of_order, ///< what was asked for later was there sooner
    held_for_handover, ///< an operation waited for who rules next (B.10)
    session_held,      ///< a WHOIS was held until somebody was primary
    session_expired,   ///< (C.1)
    bad_refused,       ///< an operation that cannot be was refused as such
    state_compared,    ///< two states at the same index (I9)
    order_found,       ///< a key whose operations have an order (I15)
    order_unknown,     ///< ... and one of which the search could not tell
};
ALMENARA_DESCRIBE_ENUM(sight,
                       office,
                       entered_in_shares,
                       pull,
                       split_promise,
                       late_promise,
                       refuse_taken_back,
                       dropped_overlay,
                       handover,
                       truncation,
                       torn_tail,
                       damaged_log,
                       damaged_unknown,
                       damaged_while_running,
                       state_ahead,
                       kill_in_start,
                       clean_stop,
                       new_segment,
                       recycled_segment,
                       misdirected_write,
                       meta_slot_unreadable,
                       window_full,
                       repaired_log,
                       bulk_catch_up,
                       kill,
                       kill_in_output,
                       disk_ran_ahead,
                       power_loss,
                       power_loss_of_all,
                       sync_error,
                       slow_sync,
                       lag,
                       pause,
                       partition,
                       one_way_cut,
                       client_cut_off,
                       half_open,
                       reset,
                       clock_jump,
                       wiped_disk,
                       retry_found_result,
                       retry_attached,
                       read_served,
                       waited_for_rows,
                       waited_in_line,
                       rows_out_of_order,
                       held_for_handover,
                       session_held,
                       session_expired,
                       bad_refused,
                       state_compared,
                       order_found,
                       order_unknown)

inline constexpr std::size_t sights = static_cast<std::size_t>(sight::order_unknown) + 1;

/// Plain data: it comes back from the processes that run the seeds.
class coverage {
  public:
    void saw(sight what, std::uint64_t times = 1) {
        counts_[static_cast<std::size_t>(what)] += times;
    }
    void saw(const replica::note& note);

    [[nodiscard]] std::uint64_t count(sight what) const {
        return counts_[static_cast<std::size_t>(what)];
    }
    void add(const coverage& other);

    /// What a search of so many runs must have met, and this one has not.
    [[nodiscard]] std::vector<sight> missing(std::uint64_t runs) const;

    /// I15 was searched and hardly ever left open. With a few keys only nobody judges that.
    [[nodiscard]] bool knows_orders() const;

  private:
    std::array<std::uint64_t, sights> counts_{};
};

} // namespace almenara::sim
