#include "storage/apply_thread.hpp"

#include "base/check.hpp"
#include "storage/worker.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace almenara::storage {

namespace {

apply_thread::lag weight_of(const state::base_batch& batch) {
    return {.entries = batch.entries, .bytes = batch.bytes};
}

} // namespace

apply_thread::apply_thread(state_db& into,
                           post_function post,
                           listener told,
                           std::chrono::steady_clock::duration flushes_after)
    : into_(into), post_(std::move(post)), told_(std::move(told)), flushes_after_(flushes_after) {
    into_.when_flushed([this] { files_changed(); });
    thread_ = start_worker("apply", priority::lowest, [this] { loop(); });
}

apply_thread::~apply_thread() {
    into_.when_flushed({});
    {
        const std::lock_guard held{mutex_};
        ends_ = true;
    }
    woken_.notify_one();
    thread_.join();
}

void apply_thread::give(std::vector<state::base_batch> group) {
    for (const state::base_batch& next : group) {
        const lag more = weight_of(next);
        behind_.entries += more.entries;
        behind_.bytes += more.bytes;
    }
    {
        const std::lock_guard held{mutex_};
        std::move(group.begin(), group.end(), std::back_inserter(waiting_));
    }
    woken_.notify_one();
}

void apply_thread::files_changed() {
    {
        const std::lock_guard held{mutex_};
        files_changed_ = true;
    }
    woken_.notify_one();
}

// -- The thread -----------------------------------------------------------------------------------

void apply_thread::loop() {
    const std::weak_ptr<const bool> alive = alive_;
    job next;
    while (wait_for_work(next)) {
        report done = run(std::exchange(next, {}));
        const bool is_last = done.failure.has_value();
        post_([this, alive, done = std::move(done)] {
            if (!alive.expired()) {
                hear(done);
            }
        });
        if (is_last) {
            return;
        }
    }
}

bool apply_thread::wait_for_work(job& next) {
    std::unique_lock held{mutex_};
    const auto has_work = [this] { return ends_ || files_changed_ || !waiting_.empty(); };
    if (!flush_at_) {
        woken_.wait(held, has_work);
    } else if (!woken_.wait_until(held, *flush_at_, has_work)) {
        flush_at_.reset();
        next.flushes = true;
        return true;
    }
    if (ends_) {
        return false;
    }
    next.looks_at_files = std::exchange(files_changed_, false);
    for (std::size_t entries = 0; entries < batch_entries && !waiting_.empty();) {
        entries += waiting_.front().entries;
        next.batches.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return true;
}

apply_thread::report apply_thread::run(job work) {
    report done;
    for (const state::base_batch& batch : work.batches) {
        done.done.entries += batch.entries;
        done.done.bytes += batch.bytes;
    }
    if (!work.batches.empty()) {
        const state::base_batch whole = state::merged(std::move(work.batches));
        if (auto wrote = into_.write(whole.upto, whole.changes, whole.bytes); wrote) {
            done.wrote = whole.upto;
        }
    }
    if (work.flushes) {
        into_.flush_soon();
    }
    if (work.looks_at_files) {
        done.flushed = into_.flushed();
    }
    note_written(done);
    done.failure = into_.failure();
    return done;
}

/// The oldest that is in no file yet decides when.
void apply_thread::note_written(const report& done) {
    if (done.flushed > log_index{0} && done.flushed >= written_) {
        flush_at_.reset();
    }
    if (done.wrote) {
        written_ = done.wrote->index;
        flush_at_ = flush_at_.value_or(std::chrono::steady_clock::now() + flushes_after_);
    }
}

// -- The owner's thread ---------------------------------------------------------------------------

void apply_thread::hear(const report& what) {
    ALMENARA_CHECK(behind_.entries >= what.done.entries && behind_.bytes >= what.done.bytes);
    behind_.entries -= what.done.entries;
    behind_.bytes -= what.done.bytes;
    if (what.wrote) {
        into_.wrote(*what.wrote);
    }
    told_({.applied = into_.applied().index, .flushed = what.flushed, .failure = what.failure});
}

} // namespace almenara::storage
