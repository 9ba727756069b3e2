#include "replica/log_writer.hpp"

#include <algorithm>

namespace almenara::replica {

log_writer::log_writer(log_index last, bool cut_first) : durable_(last), cut_first_(cut_first) {}

log_write& log_writer::open_job(log_point previous, bool truncates) {
    newest_ = newest_.next();
    flights_.push_back({.batch = newest_, .last = previous.index, .since = instant::max()});
    jobs_.push_back({.batch = newest_,
                     .truncates = truncates || cut_first_,
                     .previous = previous,
                     .entries = {}});
    cut_first_ = false;
    return jobs_.back();
}

void log_writer::write(entry_ptr e, log_point previous) {
    log_write& job = jobs_.empty() ? open_job(previous, false) : jobs_.back();
    flights_.back().last = e->index;
    job.entries.push_back(std::move(e));
}

void log_writer::truncate(log_point new_last) {
    durable_ = std::min(durable_, new_last.index);
    for (flight& f : flights_) {
        f.last = std::min(f.last, new_last.index);
    }
    open_job(new_last, true);
}

std::vector<log_write> log_writer::take(instant now) {
    for (flight& f : flights_) {
        f.since = std::min(f.since, now);
    }
    return std::exchange(jobs_, {});
}

bool log_writer::synced(batch_number batch, instant now) {
    const log_index before = durable_;
    while (!flights_.empty() && flights_.front().batch <= batch &&
           flights_.front().since != instant::max()) {
        last_took_ = now - flights_.front().since;
        durable_ = std::max(durable_, flights_.front().last);
        flights_.pop_front();
    }
    return durable_ != before;
}

std::optional<instant> log_writer::pending_since() const {
    if (flights_.empty() || flights_.front().since == instant::max()) {
        return std::nullopt;
    }
    return flights_.front().since;
}

duration log_writer::lag(instant now) const {
    const auto since = pending_since();
    return since ? std::max(now - *since, last_took_) : last_took_;
}

} // namespace almenara::replica
