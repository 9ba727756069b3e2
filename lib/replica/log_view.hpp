#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "replica/config.hpp"
#include "replica/entry.hpp"
#include "replica/gate.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace almenara::replica {

/// The own log as it stands in memory, synced or not: the position of every entry, the newer
/// entries themselves, and the configs among them. A config is in force when appended and goes
/// with a truncation (M3).
class log_view {
  public:
    explicit log_view(const start_state& start);

    [[nodiscard]] log_point last() const { return last_; }
    [[nodiscard]] log_index first() const { return base_.index.next(); }

    /// Log time of the last entry (B.4).
    [[nodiscard]] wall_time newest_time() const;

    /// Position of an entry, or of the base; nothing where there is none.
    [[nodiscard]] std::optional<log_point> at(log_index index) const;
    /// First index of the run of entries that have the epoch of this one.
    [[nodiscard]] log_index first_of_epoch(log_index index) const;

    /// The entry if it is in memory, else null.
    [[nodiscard]] entry_ptr find(log_index index) const;
    [[nodiscard]] log_index first_in_memory() const { return first_in_memory_; }
    [[nodiscard]] std::size_t bytes_in_memory() const { return bytes_; }

    /// Whether the entry follows the one before its index: epochs that do not go back, and its
    /// chain.
    [[nodiscard]] bool continues(const entry& next);
    /// The hash that its content has behind the entry before its index.
    [[nodiscard]] hash64 hash_of(const entry& e);
    /// Gives an entry its index and hash.
    [[nodiscard]] entry_ptr seal(entry raw);
    void append(entry_ptr next);
    void truncate_after(log_index new_last);

    /// Lets go of the oldest entries below `upto` until the rest fits. What is applied is never
    /// truncated, so the last entry is always in memory, and with it the log time (B.4).
    void trim(log_index upto, std::size_t most_bytes);
    /// The disk has nothing up to `upto` any more (B.8), which is not the last entry: the log
    /// begins behind it.
    void forget(log_index upto);

    /// The newest config, committed or not; null before entry 1.
    [[nodiscard]] const cluster_config* config() const;
    [[nodiscard]] log_index config_index() const;

    /// Whether an entry read back from the disk is the one that stood here, byte by byte.
    [[nodiscard]] bool verifies(const entry& read);

  private:
    struct epoch_run {
        log_index first;
        almenara::epoch epoch;
    };
    struct config_in_force {
        log_index index;
        cluster_config config;
    };

    void push_position(const log_point& point);
    void push_config(const entry& e);
    [[nodiscard]] almenara::epoch epoch_at(log_index index) const;

    log_point base_;
    wall_time time_at_base_; ///< while there is no entry behind it
    log_point last_;
    std::deque<hash64> hashes_; ///< of base_.index + 1 and on
    std::vector<epoch_run> runs_;
    std::deque<entry_ptr> entries_; ///< from first_in_memory_ on
    log_index first_in_memory_;
    std::size_t bytes_ = 0;
    std::vector<config_in_force> configs_;
    base::byte_vector scratch_;
};

/// What an entry takes in memory and on links, for bounds.
[[nodiscard]] std::size_t weight(const entry& e);

} // namespace almenara::replica
