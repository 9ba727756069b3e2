#include "scripts/disk.hpp"

#include "scripts/telling.hpp"
#include "scripts/words.hpp"
#include "storage/core/rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace almenara::scripts {

using replica::log_write;
using replica::meta_record;

void apply_write(std::vector<replica::entry_ptr>& log, const log_write& what) {
    const auto keep = static_cast<std::size_t>(what.previous.index.value());
    if (what.truncates && log.size() > keep) {
        log.resize(keep);
    }
    if (!what.entries.empty() && log.size() != keep) {
        throw script_error{fmt::format("a write behind {} does not follow a log of {} entries",
                                       what.previous.index, log.size())};
    }
    log.insert(log.end(), what.entries.begin(), what.entries.end());
}

/// One sync is in flight, and what waits meanwhile goes together in the next.
template <class Job>
void disk::lane<Job>::add(const Job& job, instant now, duration takes) {
    const bool idle = jobs.empty();
    const bool group_waits = !idle && jobs.back().first > jobs.front().first;
    const instant due = idle          ? now + takes
                        : group_waits ? jobs.back().first
                                      : jobs.front().first + takes;
    jobs.emplace_back(due, job);
}

template <class Job>
void disk::lane<Job>::set_held(bool on, instant now) {
    held = on;
    for (auto& [due, job] : jobs) {
        due = std::max(due, now);
    }
}

void disk::write(const log_write& what, instant now) {
    log_.add(what, now, log_latency);
}

void disk::write(const meta_record& what, instant now) {
    meta_.add(what, now, meta_latency);
}

void disk::hold(part which, bool on, instant now) {
    if (which == part::log) {
        log_.set_held(on, now);
    } else {
        meta_.set_held(on, now);
    }
}

std::optional<instant> disk::next() const {
    const auto log = log_.next();
    const auto meta = meta_.next();
    return log && meta ? std::min(log, meta) : log ? log : meta;
}

disk::finished disk::finish(instant now) {
    const auto meta = meta_.next();
    return meta && *meta <= now ? finish_meta() : finish_log();
}

disk::finished disk::finish_log() {
    const log_write job = log_.jobs.front().second;
    log_.jobs.pop_front();
    if (fails) {
        return {replica::log_synced{.batch = job.batch, .ok = false}, "a sync failed"};
    }
    apply_write(cached.log, job);
    synced.log = cached.log;
    std::string text = "log " + tell(job.entries);
    if (job.truncates) {
        text += fmt::format(", cut behind {}", job.previous.index);
    }
    return {replica::log_synced{.batch = job.batch}, text};
}

disk::finished disk::finish_meta() {
    const meta_record job = meta_.jobs.front().second;
    meta_.jobs.pop_front();
    cached.meta = job.fields;
    synced.meta = job.fields;
    return {replica::meta_synced{.number = job.number}, tell(job.fields)};
}

void disk::process_died() {
    if (!log_.jobs.empty()) {
        apply_write(cached.log, log_.jobs.front().second);
    }
    if (!meta_.jobs.empty()) {
        cached.meta = meta_.jobs.front().second.fields;
    }
    log_ = {};
    meta_ = {};
}

void disk::power_lost() {
    log_ = {};
    meta_ = {};
    cached = synced;
}

void disk::process_starts() {
    synced.log = cached.log;
    if (holds(storage::core::rule::start_rewrites)) {
        synced.meta = cached.meta;
    }
}

} // namespace almenara::scripts
