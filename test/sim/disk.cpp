#include "sim/disk.hpp"

#include "base/check.hpp"
#include "base/little_endian.hpp"
#include "storage/core/block.hpp"
#include "storage/core/log_reader.hpp"

#include <algorithm>
#include <utility>
#include <variant>

/// What a process does with its disk, and what is left of that when it ends. What goes wrong with
/// the bytes themselves is in disk_damage.cpp.
namespace almenara::sim {

using namespace storage::core;

namespace {

bool is_of_meta(const device_operations& job) {
    const auto* write = job.empty() ? nullptr : std::get_if<write_blocks>(&job.front());
    return write != nullptr && write->file.kind == file_kind::meta;
}

bool recycles(const device_operations& job) {
    return std::any_of(job.begin(), job.end(), [](const device_operation& each) {
        const auto* rename = std::get_if<rename_file>(&each);
        const auto* remove = std::get_if<remove_file>(&each);
        return (rename != nullptr && rename->from.kind == file_kind::segment) || remove != nullptr;
    });
}

} // namespace

disk::disk(dice luck, const log_habits& habits)
    : luck_(luck), habits_(habits), fates_(luck_.number()) {}

// -- A process ------------------------------------------------------------------------------------

std::optional<started_log> disk::start(const state_row& state,
                                       std::optional<std::size_t> operations) {
    count_bad_slots();
    test::memory_device driver{device_};
    if (operations) {
        driver.end_after(*operations);
    }
    auto started = start_log(driver,
                             {.settings = habits_.log,
                              .seed = luck_.number(),
                              .boot = boot_,
                              .missing = fresh_ ? missing_log::is_made : missing_log::is_refused},
                             state);
    if (!started) {
        // Whoever was not ended has no reason not to start.
        ALMENARA_CHECK(operations.has_value());
        return std::nullopt;
    }
    fresh_ = false;
    if (started->verdict != scan_verdict::damaged) {
        hurt_from_.reset();
    }
    is_given_up_ = started->found.log_given_up;
    const log_position& position = started->start.position;
    const auto& segments = started->start.map.segments();
    newest_ = {.segment = position.newest};
    if (position.go_on && !segments.empty() && !segments.back().batches.empty()) {
        newest_.offset = segments.back().batches.back().offset;
    }
    meta_ = started->meta;
    last_ = position.last.index;
    gone_ = started->found.base.index;
    unsealed_ = position.go_on && !position.sealed;
    planner_.emplace(std::move(started->start));
    return std::move(*started);
}

void disk::count_bad_slots() {
    const file_name meta{.kind = file_kind::meta};
    for (std::uint64_t slot = 0; device_.has(meta) && slot < meta_slots; ++slot) {
        const auto bytes =
            base::byte_view{device_.bytes(meta)}.subspan(slot * block_size, block_size);
        events_.bad_slots += open_block(block_magic::meta, bytes) ? 0U : 1U;
    }
}

void disk::queue(replica::meta_record record) {
    records_.push_back(record);
    planner_->queue(std::move(record));
}

void disk::queue(replica::log_write write) {
    writes_.push_back(write);
    planner_->queue(std::move(write));
}

void disk::committed(log_index index) {
    planner_->committed(index);
}

void disk::may_recycle(log_index floor, log_index flushed) {
    planner_->may_recycle({.floor = floor, .flushed = flushed, .kept = habits_.kept});
}

std::optional<instant> disk::begin(instant now, const disk_habits& habits) {
    if (in_flight_ || failed_) {
        return std::nullopt;
    }
    in_flight_ = planner_->next();
    if (!in_flight_) {
        return std::nullopt;
    }
    begin_beside();
    busy_since_ = now;
    return now + luck_.draw(is_of_meta(*in_flight_) ? habits.meta_sync : habits.log_sync);
}

/// It takes as long as the job that it is beside.
void disk::begin_beside() {
    if (beside_) {
        return;
    }
    const auto& segments = planner_->map().segments();
    const std::size_t before = segments.size();
    const log_index last = segments.empty() || segments.front().batches.empty()
                               ? gone_
                               : segments.front().batches.back().last;
    beside_ = planner_->next_beside();
    if (segments.size() < before && last > gone_) {
        gone_ = events_.gone = last;
    }
}

void disk::finish_beside() {
    if (beside_) {
        events_.recycled += recycles(*beside_) ? 1U : 0U;
        device_.execute(*beside_);
        beside_.reset();
        planner_->finished_beside();
    }
}

void disk::execute(device_operations& job) {
    auto* batch = job.size() < 2 ? nullptr : std::get_if<write_blocks>(&job[job.size() - 2]);
    const std::uint64_t belongs_at = batch != nullptr ? batch->offset : 0;
    if (misdirect_next_ && batch != nullptr && misdirect(*batch)) {
        misdirect_next_ = false;
        // It is missing where it belongs, and what it covers is missing too.
        hurt_behind(batch->file, std::min(batch->offset, belongs_at));
        ++events_.misdirected;
    }
    device_.execute(job);
}

/// The bytes there are not what they were. A batch without entries counts too: those behind it hang
/// on it.
void disk::hurt_behind(const file_name& file, std::uint64_t offset) {
    const log_index from = first_entry_behind(file, offset).value_or(last_.next());
    hurt_from_ = std::min(hurt_from_.value_or(from), from);
}

std::optional<log_index> disk::first_entry_behind(const file_name& file,
                                                  std::uint64_t offset) const {
    for (const mapped_segment& segment : map().segments()) {
        if (segment_file_name(segment.seq) != file) {
            continue;
        }
        for (const batch_place& batch : segment.batches) {
            if (batch.offset >= offset) {
                return batch.first;
            }
        }
    }
    return std::nullopt;
}

disk::finished disk::finish() {
    busy_since_.reset();
    device_operations job = std::move(*in_flight_);
    in_flight_.reset();
    finish_beside();
    if (std::exchange(fail_next_, false)) {
        // B.5.4: nobody knows what of it is there.
        failed_ = true;
        fail_inside(job);
        finished all{.meta = std::nullopt, .log = {}, .ok = false};
        if (is_of_meta(job) && !records_.empty()) {
            all.meta = records_.front();
        } else {
            all.log.assign(writes_.begin(), writes_.end());
        }
        return all;
    }
    note_opened(job);
    execute(job);
    note_synced(job);
    return told(planner_->finished());
}

/// What may be said of a job that is done.
disk::finished disk::told(const disk_answer& answer) {
    finished all;
    while (answer.meta && !records_.empty() && records_.front().number <= *answer.meta) {
        meta_ = records_.front().fields;
        all.meta = std::move(records_.front());
        records_.pop_front();
    }
    while (answer.log && !writes_.empty() && writes_.front().batch <= *answer.log) {
        const replica::log_write& write = writes_.front();
        last_ = write.entries.empty() ? write.previous.index : write.entries.back()->index;
        all.log.push_back(std::move(writes_.front()));
        writes_.pop_front();
    }
    return all;
}

/// E.3: whatever stands behind the beginning of a new segment in older ones is void, hurt or not.
void disk::note_opened(const device_operations& job) {
    if (is_of_meta(job) || planner_->map().segments().back().seq == newest_.segment) {
        return;
    }
    const bool voids_all = std::exchange(is_given_up_, false);
    const log_index from =
        voids_all ? log_index{1} : planner_->map().segments().back().previous.next();
    if (hurt_from_ && from <= *hurt_from_) {
        hurt_from_.reset();
    }
}

void disk::note_synced(const device_operations& job) {
    if (is_of_meta(job)) {
        return;
    }
    const segment_seq segment = planner_->map().segments().back().seq;
    const auto* batch = job.size() < 2 ? nullptr : std::get_if<write_blocks>(&job[job.size() - 2]);
    events_.segments += segment != newest_.segment ? 1U : 0U;
    newest_ = {.segment = segment, .offset = batch != nullptr ? batch->offset : 0};
    unsealed_ = !planner_->sealed();
}

void disk::idle() {
    unsealed_ = false; // Asked for once: a log that opens a segment next has nothing to seal.
    planner_->idle();
}

replica::log_read disk::read(const replica::log_request& what) {
    read_plan plan = plan_read(planner_->map(), what, planner_->durable());
    plan.recycled = what.from <= gone_;
    return read_entries(driver_, plan);
}

disk_events disk::take_events() {
    return std::exchange(events_, {});
}

// -- Its end --------------------------------------------------------------------------------------

void disk::stop() {
    if (failed_ || fail_next_) {
        return;
    }
    if (in_flight_) {
        static_cast<void>(finish());
    }
    planner_->stop();
    while ((in_flight_ = planner_->next())) {
        static_cast<void>(finish());
    }
}

void disk::run_ahead() {
    if (failed_ || fail_next_) {
        return;
    }
    if (in_flight_ && luck_.one_in(2)) {
        static_cast<void>(finish());
    }
    if (!in_flight_) {
        in_flight_ = planner_->next();
    }
}

void disk::execute_beginning(const device_operations& job, death how) {
    const auto whole = static_cast<std::size_t>(luck_.below(job.size() + 1));
    for (std::size_t i = 0; i < whole; ++i) {
        device_.execute(job[i]);
    }
    if (whole == job.size()) {
        return;
    }
    if (how == death::power && std::holds_alternative<write_blocks>(job[whole])) {
        return device_.execute(job[whole]); // Which of its blocks were quick enough is luck.
    }
    device_.execute_beginning(job[whole], fates_);
}

void disk::fail_inside(const device_operations& job) {
    if (job.empty()) {
        return; // What was to be written was cut before it was.
    }
    const auto bad = static_cast<std::size_t>(luck_.below(job.size()));
    for (std::size_t i = 0; i < bad; ++i) {
        device_.execute(job[i]);
    }
    device_.fail(job[bad], fates_);
}

void disk::crash(death how) {
    if (planner_) {
        map_ = planner_->map();
    }
    if (beside_ && luck_.one_in(2)) {
        execute_beginning(*std::exchange(beside_, std::nullopt), how);
    }
    if (in_flight_) {
        execute_beginning(*in_flight_, how);
    }
    if (beside_) {
        execute_beginning(*beside_, how);
    }
    if (how == death::power) {
        device_.lose_power(fates_);
        boot_id::rep next{};
        base::put_fixed(next.data(), luck_.number());
        boot_ = boot_id{next};
    }
    planner_.reset();
    writes_.clear();
    records_.clear();
    in_flight_.reset();
    beside_.reset();
    busy_since_.reset();
    failed_ = false;
    fail_next_ = false;
    misdirect_next_ = false;
}

void disk::replace() {
    crash(death::power);
    device_ = {};
    fresh_ = true;
    last_ = {};
    meta_ = {};
    newest_ = {};
    map_ = {};
    hurt_from_.reset();
    is_given_up_ = false;
}

const log_map& disk::map() const {
    return planner_ ? planner_->map() : map_;
}

} // namespace almenara::sim
