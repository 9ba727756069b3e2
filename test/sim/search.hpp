#pragma once

#include "sim/world.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace almenara::sim {

/// What came of one seed.
struct seed_report {
    std::uint64_t seed = 0;
    run_report run;
};

/// Runs seeds in processes of their own, so that one that aborts, or hangs, is a finding like any
/// other and not the end of the search.
class search {
  public:
    /// `plan_of` gives the plan of each seed.
    /// `prepare` is done first in each of the processes.
    search(std::function<run_plan(std::uint64_t)> plan_of,
           std::size_t jobs,
           std::function<void()> prepare = {})
        : plan_of_(std::move(plan_of)), jobs_(jobs), prepare_(std::move(prepare)) {}

    /// Seeds from `first` on, in this order for `next`; stops when `next` says so. So what is said
    /// of a search does not depend on which process was faster.
    void run(std::uint64_t first,
             std::uint64_t count,
             const std::function<bool(const seed_report&)>& next);

  private:
    std::function<run_plan(std::uint64_t)> plan_of_;
    std::size_t jobs_;
    std::function<void()> prepare_;
};

} // namespace almenara::sim
