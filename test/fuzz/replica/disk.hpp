#pragma once

#include "replica/gate.hpp"

#include <deque>
#include <map>
#include <optional>
#include <vector>

/// The disk of a server as records: what is on it, what is under way to it, and what rotted.
namespace almenara::fuzz {

using entries = std::vector<replica::entry_ptr>;

/// What a log becomes by a write. The log begins at index 1, so that entry i stands at place i-1.
void apply_write(entries& log, const replica::log_write& write);

class disk {
  public:
    explicit disk(const replica::start_state& found);

    void write(replica::log_write job) { jobs_.push_back(std::move(job)); }
    void write(replica::meta_record job) { meta_job_ = std::move(job); }

    [[nodiscard]] bool has_log_job() const { return !jobs_.empty(); }
    [[nodiscard]] bool has_meta_job() const { return meta_job_.has_value(); }
    [[nodiscard]] replica::batch_number sync_log();
    [[nodiscard]] replica::meta_number sync_meta();

    /// A process ends; some of what it wrote arrives.
    void crash(std::size_t jobs_that_arrive, bool meta_arrives);

    /// Entries from there on cannot be read any more.
    void rot(log_index from, bool end_is_known);

    /// What a process that starts now finds, in the fields that the disk knows.
    void describe(replica::start_state& start) const;

    /// Everything written, as a process that reads its own log sees it.
    [[nodiscard]] entries written() const;

    [[nodiscard]] const entries& durable() const { return durable_; }
    [[nodiscard]] const replica::persistent& meta() const { return meta_; }
    [[nodiscard]] const std::optional<replica::damage>& rotten() const { return rotten_; }

    /// Whether this entry is on it.
    [[nodiscard]] bool holds(log_index index, replica::hash64 hash) const;

    /// The same, or it was until it rotted: it counts as kept, because whoever
    /// knows of the damage promises nothing against it (B.8).
    [[nodiscard]] bool kept(log_index index, replica::hash64 hash) const;

    /// Entries that rotted and are not there again.
    [[nodiscard]] const std::map<log_index, replica::hash64>& lost() const { return lost_; }
    void forget_lost() { lost_.clear(); }

  private:
    void perform(const replica::log_write& job);

    replica::persistent meta_;
    std::optional<replica::meta_record> meta_job_;
    entries durable_;
    std::deque<replica::log_write> jobs_;
    std::optional<replica::damage> rotten_; ///< what the next scan finds
    std::map<log_index, replica::hash64> lost_;
};

} // namespace almenara::fuzz
