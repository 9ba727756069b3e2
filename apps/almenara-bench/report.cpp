#include "report.hpp"

#include "wire/json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace almenara::bench {

namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> percentiles{
    {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p99.9", 999}}};

std::int64_t in_microseconds(duration length) {
    return std::chrono::duration_cast<std::chrono::microseconds>(length).count();
}

double in_milliseconds(duration length) {
    return std::chrono::duration<double, std::milli>{length}.count();
}

} // namespace

void report::begin(instant when, duration length) {
    begin_ = when;
    end_ = when + length;
    last_ = when;
}

void report::end_early(instant when) {
    end_ = std::min(end_, when);
}

void report::add(const client::answer& how, bool is_error, instant when, duration latency) {
    last_end_ = std::max(last_end_, when);
    if (is_error) {
        ++errors_[how.code];
        return;
    }
    latencies_.add(latency);
    if (when <= end_) {
        ++in_time_;
    }
    longest_gap_ = std::max(longest_gap_, when - last_);
    last_ = when;
}

/// Who was asked and did not confirm was away until then, however long the load had to last.
duration report::longest_gap() const {
    return std::max(longest_gap_, std::max(end_, last_end_) - last_);
}

std::uint64_t report::errors() const {
    std::uint64_t sum = 0;
    for (const auto& [code, count] : errors_) {
        sum += count;
    }
    return sum;
}

double report::per_second() const {
    return static_cast<double>(in_time_) / std::chrono::duration<double>{end_ - begin_}.count();
}

std::string report::text(const settings& asked) const {
    std::string text = fmt::format(
        "{}: {} clients, {} bytes, {} at a time{}: {:.0f} per second\n", to_string(asked.kind),
        asked.clients, asked.size, asked.pipeline,
        asked.rate ? fmt::format(", {} due per second", *asked.rate) : std::string{}, per_second());
    text += "latency in microseconds:";
    for (const auto& [name, of_thousand] : percentiles) {
        text += fmt::format(" {} {},", name, in_microseconds(latencies_.at(of_thousand)));
    }
    text += fmt::format(" max {}\n", in_microseconds(latencies_.largest()));
    text += fmt::format("{} done, {} errors", done(), errors());
    for (const auto& [code, count] : errors_) {
        text += fmt::format(", {} {}", count, std::string_view{wire::to_json(code).as_string()});
    }
    text += '\n';
    if (asked.kind == workload_kind::failover) {
        text += fmt::format("longest time without a confirmed operation: {:.1f} ms\n",
                            in_milliseconds(longest_gap()));
    }
    return text;
}

std::string report::json(const settings& asked) const {
    boost::json::object latency;
    for (const auto& [name, of_thousand] : percentiles) {
        latency[name] = in_microseconds(latencies_.at(of_thousand));
    }
    latency["max"] = in_microseconds(latencies_.largest());
    boost::json::object errors;
    for (const auto& [code, count] : errors_) {
        errors[wire::to_json(code).as_string()] = count;
    }
    // The library writes 220.0 as 2.2E2, which is JSON and hard to read: fractions are ours.
    return fmt::format(
        "{{\"workload\":\"{}\",\"clients\":{},\"size\":{},\"seconds\":{},\"pipeline\":{},"
        "\"rate\":{},\"keys\":{},\"done\":{},\"per_second\":{:.1f},\"latency_us\":{},"
        "\"errors\":{},\"longest_gap_ms\":{:.3f}}}\n",
        to_string(asked.kind), asked.clients, asked.size, asked.seconds, asked.pipeline,
        asked.rate ? std::to_string(*asked.rate) : "null", asked.keys, done(), per_second(),
        boost::json::serialize(latency), boost::json::serialize(errors),
        in_milliseconds(longest_gap()));
}

} // namespace almenara::bench
