#include "base/time.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace almenara {

namespace {

using unit = std::pair<std::string_view, duration>;

// Longest first: the largest unit that divides a length names it.
constexpr std::array<unit, 7> units{{
    {"d", std::chrono::hours{24}},
    {"h", std::chrono::hours{1}},
    {"m", std::chrono::minutes{1}},
    {"s", std::chrono::seconds{1}},
    {"ms", std::chrono::milliseconds{1}},
    {"us", std::chrono::microseconds{1}},
    {"ns", std::chrono::nanoseconds{1}},
}};

// ISO 8601 has four digits for the year.
constexpr std::chrono::sys_days first_day = std::chrono::year{0} / 1 / 1;
constexpr std::chrono::sys_days behind_last_day = std::chrono::year{10'000} / 1 / 1;

error not_a_duration(std::string_view text) {
    return {errc::invalid,
            fmt::format("'{}' is not a duration: give a whole number and a unit, such as 200ms, "
                        "5s, 10m or 24h",
                        base::escaped(text))};
}

} // namespace

std::string to_string(wall_time time) {
    using namespace std::chrono;
    // A peer may send any number: beyond these years the calendar's own types overflow.
    if (time.since_epoch() < first_day.time_since_epoch() ||
        time.since_epoch() >= behind_last_day.time_since_epoch()) {
        return fmt::format("{}ms", time.since_epoch().count());
    }
    const auto day = floor<days>(time.since_epoch());
    const year_month_day date{sys_days{day}};
    const hh_mm_ss clock{time.since_epoch() - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

result<duration> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, count);
    if (failure != std::errc{} || text.front() == '-') {
        return not_a_duration(text);
    }
    const std::string_view name{rest, static_cast<std::size_t>(end - rest)};
    for (const auto& [suffix, length] : units) {
        if (name == suffix) {
            if (count > duration::max() / length) {
                return not_a_duration(text);
            }
            return count * length;
        }
    }
    return not_a_duration(text);
}

std::string to_string(duration length) {
    if (length == duration::zero()) {
        return "0s";
    }
    for (const auto& [suffix, unit_length] : units) {
        if (length % unit_length == duration::zero()) {
            return fmt::format("{}{}", length / unit_length, suffix);
        }
    }
    return fmt::format("{}ns", length.count());
}

} // namespace almenara
