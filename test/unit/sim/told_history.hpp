#pragma once

#include "sim/check/committed_log.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/history.hpp"
#include "support/check/told.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace almenara::sim::check {

using test::check::add;
using test::check::cas;
using test::check::put;
using test::check::remove;
using test::check::saw;
using test::check::saw_nothing;
using test::check::sum;

/// The same with the log that the servers agreed on.
class told_history : public test::check::told_operations {
  public:
    /// The last write that was asked is in the log at that index.
    void committed_at(std::uint64_t index) {
        while (log.last().value() + 1 < index) {
            append({});
        }
        known_entry entry;
        entry.session = session;
        entry.seq = last_seq();
        append(entry);
    }

    /// A write that takes effect at `index`, and says so.
    void wrote(
        unsigned who, request what, std::int64_t from, std::int64_t to, std::uint64_t index) {
        heard(who, std::move(what), from, to, test::check::done(index));
        committed_at(index);
    }

    [[nodiscard]] std::string broken() const {
        return found.first() ? found.first()->invariant : std::string{};
    }

    findings found;
    committed_log log{found};

  private:
    void append(known_entry entry) {
        entry.point.index = log.last().next();
        log.append(entry, almenara::epoch{2});
    }
};

} // namespace almenara::sim::check
