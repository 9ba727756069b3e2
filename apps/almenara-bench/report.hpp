#pragma once

#include "base/time.hpp"
#include "client/errands.hpp"
#include "histogram.hpp"
#include "settings.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace almenara::bench {

/// What happened, as it is counted.
class report {
  public:
    void begin(instant when, duration length);
    /// It lasts only until then.
    void end_early(instant when);
    /// Ended at `when`, so long after it was due.
    void add(const client::answer& how, bool is_error, instant when, duration latency);

    [[nodiscard]] std::uint64_t done() const { return latencies_.count(); }
    [[nodiscard]] std::uint64_t errors() const;
    /// In which nothing was confirmed, from the beginning to the end of the load and of all that
    /// was open then.
    [[nodiscard]] duration longest_gap() const;

    [[nodiscard]] std::string text(const settings& asked) const;
    [[nodiscard]] std::string json(const settings& asked) const;

  private:
    [[nodiscard]] double per_second() const;

    instant begin_;
    instant end_;
    histogram latencies_;
    std::uint64_t in_time_ = 0; ///< ended before the end
    std::map<wire::result_code, std::uint64_t> errors_;
    instant last_; ///< that was confirmed
    instant last_end_;
    duration longest_gap_{}; ///< up to `last_`
};

} // namespace almenara::bench
