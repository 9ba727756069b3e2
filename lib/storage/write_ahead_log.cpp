#include "storage/write_ahead_log.hpp"

#include "storage/core/log_reader.hpp"

#include <algorithm>
#include <utility>

namespace almenara::storage {

namespace {

auto executing(core::device_operations operations) {
    return [operations = std::move(operations)](device& on) { return execute_all(on, operations); };
}

} // namespace

write_ahead_log::write_ahead_log(log_parts parts, post_function post)
    : gone_(parts.start.base.index),
      planner_(std::move(parts.start)),
      wrote_(true), // What the start has written again is to be sealed too.
      log_(std::move(parts.log), post, lane::log),
      background_(std::move(parts.background), post, lane::background) {}

template <class Outcome, class Work>
disk_thread::work write_ahead_log::told_to(void (write_ahead_log::*done)(const Outcome&),
                                           Work work) {
    return [this, done, work = std::move(work), alive = std::weak_ptr{alive_}](device& on) {
        return disk_thread::answer{[this, done, alive, outcome = work(on)] {
            if (!alive.expired()) {
                (this->*done)(outcome);
            }
        }};
    };
}

// -- Giving ---------------------------------------------------------------------------------------

void write_ahead_log::run(instant now) {
    if (failure_) {
        seal_at_.reset();
        return;
    }
    seal_if_quiet(now);
    run_log();
    run_background();
}

void write_ahead_log::seal_if_quiet(instant now) {
    if (std::exchange(wrote_, false)) {
        seal_at_ = now + quiet_before_seal;
    }
    if (!log_busy_ && seal_at_ && now >= *seal_at_) {
        planner_.idle();
        seal_at_.reset();
    }
}

/// While the disk is busy its answer is what wakes the owner.
std::optional<instant> write_ahead_log::wake() const {
    return log_busy_ ? std::nullopt : seal_at_;
}

void write_ahead_log::run_log() {
    if (log_busy_) {
        return;
    }
    if (auto job = planner_.next()) {
        log_busy_ = true;
        log_.give(told_to(&write_ahead_log::log_done, executing(std::move(*job))));
    }
}

/// Reads go first: somebody waits for them.
void write_ahead_log::run_background() {
    if (background_busy_ || run_read() || !tends_ || planner_.stopped()) {
        return;
    }
    if (auto job = next_beside()) {
        background_busy_ = true;
        background_.give(told_to(&write_ahead_log::background_done, executing(std::move(*job))));
    }
}

std::optional<core::device_operations> write_ahead_log::next_beside() {
    const auto& segments = planner_.map().segments();
    const std::size_t before = segments.size();
    const log_index last = segments.empty() || segments.front().batches.empty()
                               ? gone_
                               : segments.front().batches.back().last;
    auto job = planner_.next_beside();
    if (segments.size() < before && last > gone_) {
        gone_ = last;
        answers_.emplace_back(replica::recycled{gone_}); // Before any read that finds it gone.
    }
    return job;
}

bool write_ahead_log::run_read() {
    // While the log's disk is idle, what is not synced was cut: it is waited for no longer.
    const auto next = std::find_if(reads_.begin(), reads_.end(), [this](const auto& wanted) {
        return !log_busy_ || wanted.from <= planner_.durable();
    });
    if (next == reads_.end()) {
        return false;
    }
    core::read_plan plan = core::plan_read(planner_.map(), *next, planner_.durable());
    plan.recycled = next->from <= gone_;
    reads_.erase(next);
    background_busy_ = true;
    background_.give(told_to(&write_ahead_log::read_done, [plan = std::move(plan)](device& from) {
        return core::read_entries(from, plan);
    }));
    return true;
}

// -- What comes back ------------------------------------------------------------------------------

void write_ahead_log::log_done(const result<void>& outcome) {
    log_busy_ = false;
    if (failure_ || !outcome) {
        return fail(outcome);
    }
    const core::disk_answer answer = planner_.finished();
    if (answer.meta) {
        answers_.emplace_back(replica::meta_synced{.number = *answer.meta, .ok = true});
    }
    if (answer.log) {
        answers_.emplace_back(replica::log_synced{.batch = *answer.log, .ok = true});
        wrote_ = true;
    }
}

void write_ahead_log::background_done(const result<void>& outcome) {
    background_busy_ = false;
    if (failure_ || !outcome) {
        return fail(outcome);
    }
    planner_.finished_beside();
}

void write_ahead_log::read_done(const replica::log_read& answer) {
    background_busy_ = false;
    if (!failure_) {
        answers_.emplace_back(answer);
    }
}

/// E.1: told once. What the other thread finishes after it is told to nobody.
void write_ahead_log::fail(const result<void>& outcome) {
    if (failure_) {
        return;
    }
    failure_ = outcome.error();
    answers_.emplace_back(replica::log_synced{.batch = {}, .ok = false});
}

std::vector<replica::event> write_ahead_log::take_answers() {
    return std::exchange(answers_, {});
}

} // namespace almenara::storage
