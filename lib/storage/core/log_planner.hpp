#pragma once

#include "base/ids.hpp"
#include "base/random.hpp"
#include "replica/gate.hpp"
#include "storage/core/batch.hpp"
#include "storage/core/device.hpp"
#include "storage/core/log_map.hpp"
#include "storage/core/meta_writer.hpp"
#include "storage/core/scan.hpp"
#include "storage/core/segment.hpp"
#include "storage/core/spares.hpp"
#include "storage/core/waiting_writes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace almenara::storage::core {

struct log_settings {
    std::uint64_t segment_size = std::uint64_t{64} << 20U; ///< 4 to 64 MiB, whole blocks
    std::size_t batch_bytes = std::size_t{1} << 20U;       ///< more only for one entry
    std::size_t spares = 1;
};

/// Where a start begins, after its operations were executed.
struct planner_start {
    log_settings settings;
    std::uint64_t seed = 0; ///< random: the segments' uuids
    chosen_slot meta;       ///< as plan_meta_start wrote it
    log_position position;  ///< of reconcile
    log_map map;            ///< of the scan
    replica::log_point base;
    std::vector<replica::entry_ptr> configs;
    std::vector<spare_file> spares;
};

/// What may be told when the operations were executed.
struct disk_answer {
    std::optional<replica::meta_number> meta;
    std::optional<replica::batch_number> log;
    friend bool operator==(const disk_answer&, const disk_answer&) = default;
};

/// Decides what the disk does next. It is asked when the disk is idle, gives one job, and is told
/// when all of its operations have returned: one write and one sync are in flight (E.3).
class log_planner {
  public:
    explicit log_planner(planner_start start);

    void queue(replica::log_write write);
    void queue(replica::meta_record record);
    /// Goes with the next batch; nothing waits for it.
    void committed(log_index index);
    /// E.3: nothing was written for a while. An empty batch will say that everything is synced.
    void idle();
    /// The last job: the log is sealed, and `meta` says that it ends here.
    void stop();
    [[nodiscard]] bool stopped() const { return stopping_ && stopped_; }

    /// The next job; nothing while one is in flight or there is nothing to do.
    [[nodiscard]] std::optional<device_operations> next();
    /// All its operations returned. One that fails ends the process, and nothing may be told.
    [[nodiscard]] disk_answer finished();

    /// Up to where nobody needs the log.
    void may_recycle(recycling_limits limits) { limits_ = limits; }
    /// E.1: else segments are made when they are needed, and not before.
    void may_make_spares(bool yes) { makes_spares_ = yes; }
    /// Spares are made and segments recycled beside the jobs, one list at a time.
    [[nodiscard]] std::optional<device_operations> next_beside();
    void finished_beside();

    [[nodiscard]] const log_map& map() const { return map_; }
    /// The log as it will be when all jobs that were given out are done.
    [[nodiscard]] const replica::log_point& end() const { return end_; }
    /// The last batch that was given out is a seal.
    [[nodiscard]] bool sealed() const { return sealed_; }
    /// Everything up to here is synced.
    [[nodiscard]] log_index durable() const { return durable_.index; }

  private:
    enum class job : std::uint8_t { none, meta, log };

    [[nodiscard]] bool meta_is_next() const;
    [[nodiscard]] device_operations meta_job();
    [[nodiscard]] device_operations log_job();
    [[nodiscard]] std::optional<device_operations> quiet_job();

    void cut(const replica::log_point& last);
    void open_segment(device_operations& operations);
    void write_batch(device_operations& operations, const std::vector<replica::entry_ptr>& entries);
    [[nodiscard]] bool has_room_for(std::uint64_t bytes) const;
    [[nodiscard]] acked_mark mark() const;

    log_settings settings_;
    base::generator random_;
    meta_writer meta_;
    waiting_writes waiting_;
    spares spares_;
    log_map map_;
    recycling_limits limits_;
    bool makes_spares_ = true;

    replica::log_point end_;
    replica::log_end durable_;
    std::vector<log_index> configs_; ///< of CONFIG entries, for headers
    segment_seq newest_;
    segment_uuid uuid_;
    std::uint64_t offset_ = 0; ///< of the next batch in the newest segment
    std::uint64_t size_ = 0;   ///< of its file
    bool go_on_ = false;
    bool resets_ = false;
    bool sealed_ = false;
    log_index hint_; ///< highest one known
    log_index hint_written_;

    job in_flight_ = job::none;
    std::optional<replica::batch_number> answers_;
    /// Batches since the first slot of `meta` was written: its copy waits for one at most.
    std::size_t batches_since_change_ = 0;
    bool mark_due_ = false; ///< a segment was opened
    std::size_t batches_since_mark_due_ = 0;
    bool idle_ = false;
    bool stopping_ = false;
    bool stopped_ = false;
};

/// E.1, E.3: what a start does with the log before anything is acked: what the page cache showed is
/// written and synced.
[[nodiscard]] device_operations plan_log_start(const scan_result& scanned);

} // namespace almenara::storage::core
