#pragma once

#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "replica/gate.hpp"
#include "sim/dice.hpp"
#include "sim/network.hpp"
#include "storage/core/log_planner.hpp"
#include "storage/core/start_log.hpp"
#include "support/block_device.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace almenara::sim {

struct disk_habits {
    latency log_sync{std::chrono::microseconds{1500}, std::chrono::milliseconds{40}};
    latency meta_sync{std::chrono::microseconds{1500}, std::chrono::milliseconds{40}};
};

/// How the log is laid out: small segments, so that they change, come back and run out all day.
struct log_habits {
    storage::core::log_settings log{.segment_size = 32 * storage::core::block_size,
                                    .batch_bytes = 4 * storage::core::block_size,
                                    .spares = 1};
    storage::core::retention kept{.bytes = 0, .entries = 64, .most_bytes = std::uint64_t{1} << 30U};
};

/// What has happened to a disk since it was asked the last time.
struct disk_events {
    std::uint64_t segments = 0; ///< opened
    std::uint64_t recycled = 0;
    log_index gone; ///< up to here, if anything went
    std::uint64_t misdirected = 0;
    std::uint64_t bad_slots = 0; ///< a start could not read one of the two
};

/// One machine's disk with the bytes that are on it, and the log of the process that runs there:
/// the planner of storage_core says what is done, and a device in memory does it. One job is in
/// flight at a time (E.3), and beside it one that makes spares or recycles.
class disk {
  public:
    disk(dice luck, const log_habits& habits);

    // -- A process --

    /// What a start is given (B.8); nothing if it was ended in the middle of it, behind so many
    /// operations. Everything that was read is on the medium then.
    [[nodiscard]] std::optional<storage::core::started_log> start(
        const storage::core::state_row& state,
        std::optional<std::size_t> operations = std::nullopt);

    void queue(replica::meta_record record);
    void queue(replica::log_write write);
    /// Goes with the next batch.
    void committed(log_index index);
    /// B.8: up to where nobody needs the log: all have `floor`, the state of this one `flushed`.
    void may_recycle(log_index floor, log_index flushed);

    /// Takes the next job; when its sync returns. Nothing while one is in flight or none waits.
    [[nodiscard]] std::optional<instant> begin(instant now, const disk_habits& habits);

    struct finished {
        std::optional<replica::meta_record> meta;
        std::vector<replica::log_write> log;
        bool ok = true;
    };
    /// Its sync returned: from here on it is on the medium, unless the sync failed.
    [[nodiscard]] finished finish();
    /// When the job in flight began; nothing without one.
    [[nodiscard]] std::optional<instant> busy_since() const { return busy_since_; }

    /// E.3: there is something that no seal covers.
    [[nodiscard]] bool wants_seal() const { return unsealed_ && !in_flight_; }
    /// Nothing was written for a while. The seal is the next job.
    void idle();

    [[nodiscard]] replica::log_read read(const replica::log_request& what);

    // -- Its end --

    /// The process stops in good order: all that was queued is on the disk, and a seal behind it.
    void stop();
    /// The disk's thread does not wait for the end of a turn: what is in flight may be synced
    /// already, which nobody hears of any more, and what was queued may have begun. Before a crash
    /// only.
    void run_ahead();
    /// The process ended, or the machine did. Of the job in flight any beginning may have got
    /// through into the cache; without power any of its blocks are on the medium, and others not.
    /// What waited is gone.
    void crash(death how);

    // -- What goes wrong with it --

    void fail_next_sync() { fail_next_ = true; }
    void spare_next_sync() { fail_next_ = false; }
    /// The batch that has this entry cannot be read any more. False if there is none, or if nothing
    /// behind it proves that it was there: what nobody can know nobody can repair (E.3).
    bool rot_batch(log_index index);
    /// The same of the header of the segment that has this entry, or of the newest one.
    bool rot_header(log_index index);
    /// One slot of `meta`. False while they do not say the same, or while no process runs.
    bool rot_slot();
    /// The next batch that can be is written where it does not belong, and called synced.
    void misdirect_next() { misdirect_next_ = true; }
    /// Something was done to it, and no start has found it to be nothing, nor was it cut.
    [[nodiscard]] bool hurt() const { return hurt_from_ || misdirect_next_; }
    /// An empty one in its place.
    void replace();

    // -- What is so --

    /// What was synced, rot or not.
    [[nodiscard]] log_index last() const { return last_; }
    [[nodiscard]] const replica::persistent& meta() const { return meta_; }
    [[nodiscard]] disk_events take_events();
    /// Whose bytes are read by whoever wants to see for himself.
    [[nodiscard]] const test::block_device& device() const { return device_; }

  private:
    /// Where a batch stands.
    struct place {
        storage::core::segment_seq segment;
        std::uint64_t offset = 0;
        friend auto operator<=>(const place&, const place&) = default;
    };

    void execute(storage::core::device_operations& job);
    void execute_beginning(const storage::core::device_operations& job, death how);
    void fail_inside(const storage::core::device_operations& job);
    void begin_beside();
    void finish_beside();
    [[nodiscard]] finished told(const storage::core::disk_answer& answer);
    void note_synced(const storage::core::device_operations& job);
    [[nodiscard]] bool misdirect(storage::core::write_blocks& batch) const;
    [[nodiscard]] std::optional<log_index> first_entry_behind(const storage::core::file_name& file,
                                                              std::uint64_t offset) const;
    void note_opened(const storage::core::device_operations& job);
    void hurt_behind(const storage::core::file_name& file, std::uint64_t offset);
    void count_bad_slots();
    [[nodiscard]] const storage::core::log_map& map() const;
    void spoil(const storage::core::file_name& file, std::uint64_t offset, std::uint64_t length);

    dice luck_;
    log_habits habits_;
    base::generator fates_; ///< of blocks
    test::block_device device_;
    test::memory_device driver_{device_};
    storage::core::boot_id boot_;
    bool fresh_ = true; ///< no process has started on it yet

    // The process.
    std::optional<storage::core::log_planner> planner_;
    std::deque<replica::log_write> writes_; ///< not synced yet
    std::deque<replica::meta_record> records_;
    std::optional<storage::core::device_operations> in_flight_;
    std::optional<storage::core::device_operations> beside_;
    std::optional<instant> busy_since_;
    bool failed_ = false;
    bool unsealed_ = false;
    log_index gone_; ///< recycled up to here

    // What is known of the medium from outside.
    log_index last_;
    replica::persistent meta_;
    place newest_;               ///< the last that was synced: it proves everything before it
    storage::core::log_map map_; ///< of the last process
    disk_events events_;

    bool fail_next_ = false;
    bool misdirect_next_ = false;
    std::optional<log_index> hurt_from_; ///< the first entry that something was done to
    bool is_given_up_ = false;           ///< the next segment begins a log of its own (B.8)
};

} // namespace almenara::sim
