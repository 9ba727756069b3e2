#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace almenara::sim {

/// What an appointment is about; who deals with it stands behind each.
enum class task : std::uint8_t {
    parcel,        ///< network: something may arrive; `which` is the connection
    handshake,     ///< network: a dial meets the other host
    dial_over,     ///< network: a dial has failed
    datagram,      ///< network: one arrives, if it does
    unacked,       ///< network: has a connection waited too long for an ack?
    turn,          ///< server: its loop runs
    disk,          ///< server: a write was synced, or failed
    seal,          ///< server: was nothing written for a while?
    state_flushed, ///< server: what it applied has reached its state
    rows_read,     ///< server: rows that are not in memory; `which` says who wants them
    rows_told,     ///< server: its loop hears of them
    start,         ///< server: the process starts again
    client,        ///< client: its tick
    fault,         ///< nemesis: the next thing goes wrong; `which` says what
    fault_over,    ///< nemesis: it is mended again
    check,         ///< world: what is looked at from time to time
};

/// Plain data: millions of them are made in a run.
struct appointment {
    instant at;
    std::uint64_t order = 0; ///< the first made comes first, of those of one moment
    task about = task::turn;
    std::uint32_t who = 0;
    std::uint64_t which = 0;
};

/// Virtual time: it stands still while something happens and jumps to what comes next.
class agenda {
  public:
    [[nodiscard]] instant now() const { return now_; }

    void add(instant at, task about, std::uint32_t who, std::uint64_t which = 0);

    /// The next one, if it is not later than `end`; time is then its time. Else time is `end`.
    [[nodiscard]] std::optional<appointment> next(instant end);

    [[nodiscard]] std::uint64_t count() const { return order_; }

  private:
    instant now_;
    std::uint64_t order_ = 0;
    std::vector<appointment> heap_;
};

} // namespace almenara::sim
