#include "fuzz/replica/disk.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace almenara::fuzz {

void apply_write(entries& log, const replica::log_write& write) {
    if (write.truncates) {
        ALMENARA_CHECK(write.previous.index.value() <= log.size());
        log.resize(write.previous.index.value());
    }
    ALMENARA_CHECK(write.previous.index.value() == log.size());
    ALMENARA_CHECK(log.empty() || replica::point_of(*log.back()) == write.previous);
    for (const replica::entry_ptr& entry : write.entries) {
        ALMENARA_CHECK(entry->index.value() == log.size() + 1);
        log.push_back(entry);
    }
}

disk::disk(const replica::start_state& found) : meta_(found.meta), durable_(found.recent) {}

replica::batch_number disk::sync_log() {
    const replica::log_write job = std::move(jobs_.front());
    jobs_.pop_front();
    perform(job);
    return job.batch;
}

replica::meta_number disk::sync_meta() {
    const replica::meta_record job = *std::exchange(meta_job_, std::nullopt);
    meta_ = job.fields;
    return job.number;
}

void disk::perform(const replica::log_write& job) {
    apply_write(durable_, job);
    // The log goes on in a new segment: a later scan finds nothing wrong (B.8).
    rotten_.reset();
    std::erase_if(lost_, [this](const auto& one) { return holds(one.first, one.second); });
}

void disk::crash(std::size_t jobs_that_arrive, bool meta_arrives) {
    for (std::size_t i = 0; i < jobs_that_arrive && has_log_job(); ++i) {
        static_cast<void>(sync_log());
    }
    jobs_.clear();
    if (meta_arrives && meta_job_) {
        static_cast<void>(sync_meta());
    }
    meta_job_.reset();
}

void disk::rot(log_index from, bool end_is_known) {
    const replica::log_end end = replica::end_of(replica::point_of(*durable_.back()));
    rotten_ = replica::damage{.from = from};
    if (end_is_known) {
        rotten_->end = end;
    }
    for (std::size_t i = from.value() - 1; i < durable_.size(); ++i) {
        lost_[durable_[i]->index] = durable_[i]->hash;
    }
    durable_.resize(from.value() - 1);
}

void disk::describe(replica::start_state& start) const {
    start.meta = meta_;
    start.found_damaged = rotten_;
    for (const replica::entry_ptr& entry : durable_) {
        start.positions.push_back(replica::point_of(*entry));
        start.recent.push_back(entry);
        if (entry->type == replica::entry_type::config) {
            start.configs.push_back(entry);
        }
    }
}

entries disk::written() const {
    entries log = durable_;
    for (const replica::log_write& job : jobs_) {
        apply_write(log, job);
    }
    return log;
}

bool disk::holds(log_index index, replica::hash64 hash) const {
    const std::size_t place = index.value() - std::size_t{1};
    return index != log_index{} && place < durable_.size() && durable_[place]->hash == hash;
}

bool disk::kept(log_index index, replica::hash64 hash) const {
    const auto found = lost_.find(index);
    return holds(index, hash) || (found != lost_.end() && found->second == hash);
}

} // namespace almenara::fuzz
