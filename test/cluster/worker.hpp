#pragma once

#include "base/random.hpp"
#include "client/errands.hpp"
#include "cluster/load.hpp"
#include "support/check/history.hpp"
#include "support/check/workload.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace almenara::test {

/// One client of a load: what it wants next, and what becomes of what it hears.
class worker {
  public:
    worker(check::client_number number, bool only_reads, const load_habits& habits);

    /// Thinks of something, and notes that it is asked now.
    void ask(check::history& book, instant now);
    [[nodiscard]] const check::request& asked() const { return asked_; }

    /// The answer to it; true if it is a write that was confirmed.
    bool hear(check::history& book, instant now, const client::answer& told);

  private:
    [[nodiscard]] check::request next();
    [[nodiscard]] check::request own_put();

    check::client_number number_;
    bool only_reads_;
    const load_habits& habits_;
    check::workload shared_;
    base::generator random_;
    std::uint64_t own_puts_ = 0;
    check::request thought_of_; ///< without the prefix
    check::request asked_;
    check::history::ticket ticket_ = 0;
};

} // namespace almenara::test
