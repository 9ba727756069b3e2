#pragma once

#include "base/strong.hpp"
#include "base/time.hpp"

#include <cstdint>

namespace almenara {

/// A stamp of the hybrid logical clock: 48 bits of wall milliseconds, 16 bits that count within
/// one. Stamps of all servers sort causally: what was received is smaller than what was sent after.
using hlc_stamp = base::strong<struct hlc_stamp_tag, std::uint64_t>;

[[nodiscard]] constexpr wall_time wall_part(hlc_stamp stamp) {
    return wall_time{std::chrono::milliseconds{stamp.value() >> 16U}};
}

/// Gives stamps that never go back, whatever the wall clock does.
class hybrid_clock {
  public:
    /// A stamp of a peer that runs further ahead than this is not adopted: one wrong clock must not
    /// drag everybody into the future.
    static constexpr std::chrono::milliseconds largest_lead = std::chrono::hours{24};

    /// The stamp of something that happens here now.
    [[nodiscard]] hlc_stamp stamp(wall_time now);

    /// Takes note of a stamp received from a peer; false if it was too far ahead to be adopted.
    bool observe(hlc_stamp received, wall_time now);

    [[nodiscard]] hlc_stamp last() const { return last_; }

  private:
    hlc_stamp last_;
};

} // namespace almenara
