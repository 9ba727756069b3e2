#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/entry.hpp"
#include "replica/gate.hpp"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace almenara::replica {

/// The own log's way to the disk: jobs that are not handed out yet, jobs that are not synced yet,
/// and how far the disk agrees with memory.
class log_writer {
  public:
    /// `cut_first`: the disk has something behind `last` that must go with the first write.
    log_writer(log_index last, bool cut_first);

    /// The disk holds this much of what memory holds.
    [[nodiscard]] log_index durable() const { return durable_; }

    /// What waits for everything written until now waits for this batch.
    [[nodiscard]] batch_number newest() const { return newest_; }
    [[nodiscard]] bool has_jobs() const { return !jobs_.empty(); }
    /// The last entry that was handed out, while there are jobs.
    [[nodiscard]] log_index before_jobs() const { return jobs_.front().previous.index; }

    void write(entry_ptr e, log_point previous);
    void truncate(log_point new_last);

    /// Hands out the jobs.
    [[nodiscard]] std::vector<log_write> take(instant now);

    /// Gives whether the disk advanced.
    bool synced(batch_number batch, instant now);

    /// When the oldest job that is still out was handed out.
    [[nodiscard]] std::optional<instant> pending_since() const;
    /// How slow the disk is: the oldest job that is out, or the last one that was.
    [[nodiscard]] duration lag(instant now) const;

  private:
    struct flight {
        batch_number batch;
        log_index last; ///< of memory when this was written, less what was truncated since
        instant since;
    };

    log_write& open_job(log_point previous, bool truncates);

    std::vector<log_write> jobs_;
    std::deque<flight> flights_; ///< jobs not handed out are in here too, `since` unset
    batch_number newest_;
    log_index durable_;
    duration last_took_{0};
    bool cut_first_;
};

} // namespace almenara::replica
