#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "state/base_batch.hpp"
#include "storage/disk_thread.hpp"
#include "storage/state_db.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace almenara::storage {

/// Writes what is committed into the state's database, beside its owner and with what the others
/// leave of the processor (architecture 4, 6). All that came while it wrote is the next batch.
///
///     if (auto batch = desk.take_for_base(durable)) apply.give(std::move(*batch));
///     ... and when it is told:  desk.base_holds(news.applied);
///
/// It goes away in any state; what was not written by then is in the log.
class apply_thread {
  public:
    struct news {
        log_index applied; ///< the database shows everything up to here
        log_index flushed; ///< B.8: and has it in files up to here
        /// The first of all, and the last news. The process ends (E.1).
        std::optional<error> failure;
    };
    /// Called on the owner's thread.
    using listener = std::function<void(const news&)>;

    /// How far the database is behind what was given.
    struct lag {
        std::size_t entries = 0;
        std::size_t bytes = 0;
    };
    /// The owner gives nothing more while it is behind by as much: the overlay keeps it, and the
    /// desk turns clients away before that is too much.
    static constexpr lag most_behind{.entries = 65'536, .bytes = 64U << 20U};
    /// A batch that is written at once has about so many entries.
    static constexpr std::size_t batch_entries = 8'192;

    /// What was written is in files at the latest so long after: the log of a server that has
    /// little to do is recycled too, and its next start replays little.
    static constexpr std::chrono::steady_clock::duration flush_after = std::chrono::minutes{5};

    /// `into` outlives it, and nobody else writes there meanwhile.
    apply_thread(state_db& into,
                 post_function post,
                 listener told,
                 std::chrono::steady_clock::duration flushes_after = flush_after);
    /// What is being written is waited for.
    ~apply_thread();
    apply_thread(const apply_thread&) = delete;
    apply_thread& operator=(const apply_thread&) = delete;

    /// Batches that follow each other and are written together.
    void give(std::vector<state::base_batch> group);

    [[nodiscard]] lag behind() const { return behind_; }
    [[nodiscard]] bool is_full() const {
        return behind_.entries >= most_behind.entries || behind_.bytes >= most_behind.bytes;
    }

  private:
    /// On its way back to the owner.
    struct report {
        std::optional<state::applied_row> wrote;
        lag done;
        log_index flushed;
        std::optional<error> failure;
    };
    struct job {
        std::vector<state::base_batch> batches;
        bool looks_at_files = false;
        bool flushes = false;
    };

    void loop();
    [[nodiscard]] bool wait_for_work(job& next);
    [[nodiscard]] report run(job work);
    void note_written(const report& done);
    void files_changed();
    void hear(const report& what);

    state_db& into_;
    post_function post_;
    listener told_;
    lag behind_;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);

    std::mutex mutex_;
    std::condition_variable woken_;
    std::deque<state::base_batch> waiting_;
    bool files_changed_ = false;
    bool ends_ = false;

    // Of the thread.
    const std::chrono::steady_clock::duration flushes_after_;
    std::optional<std::chrono::steady_clock::time_point> flush_at_;
    log_index written_;
    std::thread thread_;
};

} // namespace almenara::storage
