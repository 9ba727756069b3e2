#pragma once

#include "base/error.hpp"

#include <fmt/format.h>

#include <chrono>
#include <compare>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace almenara {

using duration = std::chrono::nanoseconds;

/// A moment on a clock that never goes back and counts from nowhere in particular. Style 5: pure
/// rooms are handed it and never read a clock.
class instant {
  public:
    constexpr instant() = default;
    constexpr explicit instant(duration since_origin) : since_origin_(since_origin) {}

    /// Never comes.
    [[nodiscard]] static constexpr instant max() { return instant{duration::max()}; }

    [[nodiscard]] constexpr duration since_origin() const { return since_origin_; }

    friend constexpr auto operator<=>(const instant&, const instant&) = default;
    friend constexpr bool operator==(const instant&, const instant&) = default;
    friend constexpr instant operator+(instant at, duration by) {
        return instant{at.since_origin_ + by};
    }
    friend constexpr instant operator-(instant at, duration by) {
        return instant{at.since_origin_ - by};
    }
    friend constexpr duration operator-(instant later, instant earlier) {
        return later.since_origin_ - earlier.since_origin_;
    }

  private:
    duration since_origin_{0};
};

/// A moment of the calendar, in milliseconds since 1970. For people and for ordering journal lines,
/// never for deciding who is alive.
class wall_time {
  public:
    constexpr wall_time() = default;
    constexpr explicit wall_time(std::chrono::milliseconds since_epoch)
        : since_epoch_(since_epoch) {}

    [[nodiscard]] constexpr std::chrono::milliseconds since_epoch() const { return since_epoch_; }

    friend constexpr auto operator<=>(const wall_time&, const wall_time&) = default;
    friend constexpr bool operator==(const wall_time&, const wall_time&) = default;

  private:
    std::chrono::milliseconds since_epoch_{0};
};

/// ISO 8601 in UTC with milliseconds: `2026-11-20T09:25:00.000Z`. A time outside of the years 0000
/// to 9999 is written as its milliseconds: `253402300800000ms`.
[[nodiscard]] std::string to_string(wall_time time);

/// Reads `200ms`, `5s`, `10m`, `24h`, `30d`: a whole number without sign, and its unit.
[[nodiscard]] result<duration> parse_duration(std::string_view text);

/// The shortest exact form that parse_duration reads: `5s`, `1500ms`.
[[nodiscard]] std::string to_string(duration length);

} // namespace almenara
