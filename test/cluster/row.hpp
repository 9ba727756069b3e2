#pragma once

#include "base/time.hpp"
#include "cluster/judgement.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::test {

/// How often a row is run: ALMENARA_RUNS, else with the scale of test/run.sh.
struct run_counts {
    unsigned few = 2;   ///< while somebody waits for the result
    unsigned many = 20; ///< for a table that is published
};
[[nodiscard]] unsigned runs_now(const run_counts& of);
[[nodiscard]] bool at_full_scale();

/// One row of the reliability table. Safety is asserted, in each run; everything else is measured
/// and told, for a busy machine proves nothing about time.
class row {
  public:
    row(unsigned number, std::string scenario);
    /// Prints the row, and appends it as a line of JSON to the file that ALMENARA_ROWS names.
    ~row();
    row(const row&) = delete;
    row& operator=(const row&) = delete;

    /// A run has ended: nothing may be wrong. `from`: when the fault began.
    void add(const load& done, const all_rows& in_the_end, instant from);
    void add(const check::history& heard, const all_rows& in_the_end, instant from, instant ended);
    /// By which ways the clients found the new primary.
    void add_told_by(const told_by_counts& counts);
    void add_elections(std::uint64_t count) { elections_ += count; }
    /// Something else that is measured in each run.
    void note(const std::string& what, duration length) { others_[what].push_back(length); }

    [[nodiscard]] const judgement& all() const { return all_; }
    [[nodiscard]] std::uint64_t told_by(client::source way) const;

  private:
    [[nodiscard]] std::string to_text() const;
    void append_json(const std::string& path) const;

    unsigned number_;
    std::string scenario_;
    judgement all_;
    std::vector<duration> gaps_;
    std::uint64_t elections_ = 0;
    told_by_counts told_by_;
    std::map<std::string, std::vector<duration>> others_;
    unsigned runs_ = 0;
};

} // namespace almenara::test
