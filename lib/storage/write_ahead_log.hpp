#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "replica/gate.hpp"
#include "storage/core/log_planner.hpp"
#include "storage/disk_thread.hpp"
#include "storage/open_log.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace almenara::storage {

/// The log and `meta` as their owner sees them, on the owner's thread: what the core wants written
/// goes in, what may be told comes out (B.15). It decides nothing; the planner does, and two
/// threads execute. One turn of the owner is
///
///     for (event& e : log.take_answers()) step(e);   // and everything else that happened
///     log.write(...); log.read(...);                 // what the core put out
///     log.run(now);                                  // the disk works from here on
///
/// It goes away in any state, as a killed process does; only stop() leaves a sealed log.
class write_ahead_log {
  public:
    /// E.3: the log is sealed when nothing was written for so long.
    static constexpr duration quiet_before_seal = std::chrono::milliseconds{10};

    write_ahead_log(log_parts parts, post_function post);

    void write(replica::log_write write) { planner_.queue(std::move(write)); }
    void write(replica::meta_record record) { planner_.queue(std::move(record)); }
    void committed(log_index index) { planner_.committed(index); }
    /// Answered by a log_read. Entries that are not synced yet are waited for. What was recycled,
    /// or cut meanwhile, is an answer without entries that is no hole: nothing is damaged.
    void read(replica::log_request wanted) { reads_.push_back(wanted); }
    /// B.8: up to where nobody needs the log.
    void may_recycle(core::recycling_limits limits) { planner_.may_recycle(limits); }
    /// E.1: whether there is room for what is not needed yet.
    void may_make_spares(bool yes) { planner_.may_make_spares(yes); }
    /// From here on spares are made and segments recycled. A start has better things to do.
    void tend() { tends_ = true; }
    /// Nothing is written after this but what says that the log ends here.
    void stop() { planner_.stop(); }
    [[nodiscard]] bool stopped() const { return planner_.stopped(); }

    /// Gives the disk what there is to do. The end of every turn.
    void run(instant now);
    /// When run() is due although nothing happened.
    [[nodiscard]] std::optional<instant> wake() const;

    /// log_synced, meta_synced, log_read and recycled, in the order in which they happened. The
    /// last one of all is a log_synced that is not ok: see failure().
    [[nodiscard]] std::vector<replica::event> take_answers();
    /// E.1: the first operation that failed. The disk is left alone from then on, and the process
    /// ends.
    [[nodiscard]] const std::optional<error>& failure() const { return failure_; }

    /// Entries up to here are not in the log any more.
    [[nodiscard]] log_index gone() const { return gone_; }
    /// A job is under way.
    [[nodiscard]] bool busy() const { return log_busy_ || background_busy_; }

    [[nodiscard]] const core::log_planner& planner() const { return planner_; }

  private:
    void seal_if_quiet(instant now);
    void run_log();
    void run_background();
    [[nodiscard]] std::optional<core::device_operations> next_beside();
    [[nodiscard]] bool run_read();

    void log_done(const result<void>& outcome);
    void background_done(const result<void>& outcome);
    void read_done(const replica::log_read& answer);
    void fail(const result<void>& outcome);

    /// Work whose outcome goes to one of those, unless the log is gone by then.
    template <class Outcome, class Work>
    [[nodiscard]] disk_thread::work told_to(void (write_ahead_log::*done)(const Outcome&),
                                            Work work);

    log_index gone_;
    core::log_planner planner_;
    std::deque<replica::log_request> reads_; ///< as many as the core has in flight: one per peer
    std::vector<replica::event> answers_;
    std::optional<error> failure_;
    bool tends_ = false;
    bool log_busy_ = false;
    bool background_busy_ = false;
    bool wrote_ = false; ///< since the last run()
    std::optional<instant> seal_at_;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
    // They end first: what they still post finds nobody.
    disk_thread log_;
    disk_thread background_;
};

} // namespace almenara::storage
