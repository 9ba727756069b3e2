#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/gate.hpp"
#include "sim/dice.hpp"
#include "sim/network.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace almenara::sim {

struct disk_habits {
    latency log_sync{std::chrono::microseconds{1500}, std::chrono::milliseconds{40}};
    latency meta_sync{std::chrono::microseconds{1500}, std::chrono::milliseconds{40}};
};

/// What a start finds (E.3).
enum class scan_verdict : std::uint8_t { clean, torn, damaged };

struct scan_result {
    scan_verdict verdict = scan_verdict::clean;
    replica::persistent meta;
    std::vector<replica::entry_ptr> entries; ///< the usable ones
    std::optional<replica::damage> damage;
};

/// One disk and its thread, entry by entry: what is on the medium, what only the page cache has,
/// and what is still in the queue. One job is in flight at a time, as E.3 has it: a `meta` record,
/// or all the log writes that waited for the last sync.
class disk {
  public:
    explicit disk(dice luck) : luck_(luck) {}

    void queue(replica::meta_record record);
    void queue(replica::log_write write);

    /// Takes the next job; when its sync returns. Nothing while one is in flight or none waits.
    [[nodiscard]] std::optional<instant> begin(instant now, const disk_habits& habits);

    struct finished {
        std::optional<replica::meta_record> meta;
        std::vector<replica::log_write> log;
        bool ok = true;
    };
    /// Its sync returned: from here on it is on the medium, unless the sync failed.
    [[nodiscard]] finished finish();
    void fail_next_sync() { fail_next_ = true; }
    void spare_next_sync() { fail_next_ = false; }
    /// When the job in flight began; nothing without one.
    [[nodiscard]] std::optional<instant> busy_since() const { return busy_since_; }

    /// The disk's thread does not wait for the end of a turn: what is in flight may be synced
    /// already, which nobody hears of any more, and what was queued may have begun. Before a crash
    /// only.
    void run_ahead();

    /// The process ended, or the machine did. Of the job in flight any beginning may have got
    /// through: into the page cache in one case, onto the medium in the other. What waited is gone.
    void crash(death how);

    /// Reads everything, as a start does; what it finds is rewritten and synced before it is
    /// believed (B.1). `meta_rewritten`: false shows what happens without that.
    [[nodiscard]] scan_result scan(bool meta_rewritten = true);

    [[nodiscard]] replica::log_read read(const replica::log_request& what) const;

    /// What is at `index` cannot be read any more; whether the log's true end can still be told is
    /// another question (E.3). False if there is nothing.
    bool rot(log_index index, bool end_readable);
    [[nodiscard]] bool rotten() const { return rot_.has_value(); }
    /// What is on the medium, rot or not.
    [[nodiscard]] log_index last() const { return log_index{log_.size()}; }
    [[nodiscard]] const replica::persistent& meta() const { return meta_; }

    /// An empty one in its place.
    void replace();

    /// The core wrote where its log does not end; says how.
    [[nodiscard]] const std::optional<std::string>& misuse() const { return misuse_; }

  private:
    struct job {
        std::optional<replica::meta_record> meta;
        std::vector<replica::log_write> log;
        [[nodiscard]] bool empty() const { return !meta && log.empty(); }
    };
    struct decay {
        log_index from;
        bool end_readable = false;
    };

    void write(const replica::log_write& what, std::size_t entries);
    void cut_behind(log_index index);
    /// A beginning of the job, of random length; true if it ends inside of a write.
    bool write_beginning_of(const job& what);

    dice luck_;
    replica::persistent meta_;
    std::vector<replica::entry_ptr> log_;
    std::deque<job> waiting_;
    job in_flight_;
    job cached_; ///< written by a killed process, never synced
    std::optional<instant> busy_since_;
    bool torn_ = false;
    bool fail_next_ = false;
    std::optional<decay> rot_;
    /// The last scan ended before the log did; the next write goes there.
    bool shortened_ = false;
    std::optional<std::string> misuse_;
};

} // namespace almenara::sim
