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
    told_by_beacon,    ///< a client found its primary by a datagram (C.2)
    told_by_redirect,  ///< ... or in one of the other ways (C.3)
    told_by_standby,
    told_by_members,
    told_by_directory,
    hint_refuted,      ///< a server that was announced said otherwise, or nothing
    hint_contradicted, ///< an announcement named another one for an epoch
    old_announcement,  ///< came late or twice, or again from somebody else
    forged_datagram,
    state_compared, ///< two states at the same index (I9)
    order_found,    ///< a key whose operations have an order (I15)
    order_unknown,  ///< ... and one of which the search could not tell
};
// More of them than the macro for a whole list takes.
BOOST_DESCRIBE_ENUM_BEGIN(sight)
BOOST_DESCRIBE_ENUM_ENTRY(sight, office)
BOOST_DESCRIBE_ENUM_ENTRY(sight, entered_in_shares)
BOOST_DESCRIBE_ENUM_ENTRY(sight, pull)
BOOST_DESCRIBE_ENUM_ENTRY(sight, split_promise)
BOOST_DESCRIBE_ENUM_ENTRY(sight, late_promise)
BOOST_DESCRIBE_ENUM_ENTRY(sight, refuse_taken_back)
BOOST_DESCRIBE_ENUM_ENTRY(sight, dropped_overlay)
BOOST_DESCRIBE_ENUM_ENTRY(sight, handover)
BOOST_DESCRIBE_ENUM_ENTRY(sight, truncation)
BOOST_DESCRIBE_ENUM_ENTRY(sight, torn_tail)
BOOST_DESCRIBE_ENUM_ENTRY(sight, damaged_log)
BOOST_DESCRIBE_ENUM_ENTRY(sight, damaged_unknown)
BOOST_DESCRIBE_ENUM_ENTRY(sight, damaged_while_running)
BOOST_DESCRIBE_ENUM_ENTRY(sight, state_ahead)
BOOST_DESCRIBE_ENUM_ENTRY(sight, kill_in_start)
BOOST_DESCRIBE_ENUM_ENTRY(sight, clean_stop)
BOOST_DESCRIBE_ENUM_ENTRY(sight, new_segment)
BOOST_DESCRIBE_ENUM_ENTRY(sight, recycled_segment)
BOOST_DESCRIBE_ENUM_ENTRY(sight, misdirected_write)
BOOST_DESCRIBE_ENUM_ENTRY(sight, meta_slot_unreadable)
BOOST_DESCRIBE_ENUM_ENTRY(sight, window_full)
BOOST_DESCRIBE_ENUM_ENTRY(sight, repaired_log)
BOOST_DESCRIBE_ENUM_ENTRY(sight, bulk_catch_up)
BOOST_DESCRIBE_ENUM_ENTRY(sight, kill)
BOOST_DESCRIBE_ENUM_ENTRY(sight, kill_in_output)
BOOST_DESCRIBE_ENUM_ENTRY(sight, disk_ran_ahead)
BOOST_DESCRIBE_ENUM_ENTRY(sight, power_loss)
BOOST_DESCRIBE_ENUM_ENTRY(sight, power_loss_of_all)
BOOST_DESCRIBE_ENUM_ENTRY(sight, sync_error)
BOOST_DESCRIBE_ENUM_ENTRY(sight, slow_sync)
BOOST_DESCRIBE_ENUM_ENTRY(sight, lag)
BOOST_DESCRIBE_ENUM_ENTRY(sight, pause)
BOOST_DESCRIBE_ENUM_ENTRY(sight, partition)
BOOST_DESCRIBE_ENUM_ENTRY(sight, one_way_cut)
BOOST_DESCRIBE_ENUM_ENTRY(sight, client_cut_off)
BOOST_DESCRIBE_ENUM_ENTRY(sight, half_open)
BOOST_DESCRIBE_ENUM_ENTRY(sight, reset)
BOOST_DESCRIBE_ENUM_ENTRY(sight, clock_jump)
BOOST_DESCRIBE_ENUM_ENTRY(sight, wiped_disk)
BOOST_DESCRIBE_ENUM_ENTRY(sight, retry_found_result)
BOOST_DESCRIBE_ENUM_ENTRY(sight, retry_attached)
BOOST_DESCRIBE_ENUM_ENTRY(sight, read_served)
BOOST_DESCRIBE_ENUM_ENTRY(sight, waited_for_rows)
BOOST_DESCRIBE_ENUM_ENTRY(sight, waited_in_line)
BOOST_DESCRIBE_ENUM_ENTRY(sight, rows_out_of_order)
BOOST_DESCRIBE_ENUM_ENTRY(sight, held_for_handover)
BOOST_DESCRIBE_ENUM_ENTRY(sight, session_held)
BOOST_DESCRIBE_ENUM_ENTRY(sight, session_expired)
BOOST_DESCRIBE_ENUM_ENTRY(sight, bad_refused)
BOOST_DESCRIBE_ENUM_ENTRY(sight, told_by_beacon)
BOOST_DESCRIBE_ENUM_ENTRY(sight, told_by_redirect)
BOOST_DESCRIBE_ENUM_ENTRY(sight, told_by_standby)
BOOST_DESCRIBE_ENUM_ENTRY(sight, told_by_members)
BOOST_DESCRIBE_ENUM_ENTRY(sight, told_by_directory)
BOOST_DESCRIBE_ENUM_ENTRY(sight, hint_refuted)
BOOST_DESCRIBE_ENUM_ENTRY(sight, hint_contradicted)
BOOST_DESCRIBE_ENUM_ENTRY(sight, old_announcement)
BOOST_DESCRIBE_ENUM_ENTRY(sight, forged_datagram)
BOOST_DESCRIBE_ENUM_ENTRY(sight, state_compared)
BOOST_DESCRIBE_ENUM_ENTRY(sight, order_found)
BOOST_DESCRIBE_ENUM_ENTRY(sight, order_unknown)
BOOST_DESCRIBE_ENUM_END(sight)

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
