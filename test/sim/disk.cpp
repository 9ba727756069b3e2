#include "sim/disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace almenara::sim {

void disk::queue(replica::meta_record record) {
    waiting_.push_back({.meta = std::move(record), .log = {}});
}

void disk::queue(replica::log_write write) {
    // Group commit: what comes while a sync runs is one job, behind the `meta` before it.
    if (waiting_.empty() || waiting_.back().meta) {
        waiting_.emplace_back();
    }
    waiting_.back().log.push_back(std::move(write));
}

std::optional<instant> disk::begin(instant now, const disk_habits& habits) {
    if (!in_flight_.empty() || waiting_.empty()) {
        return std::nullopt;
    }
    in_flight_ = std::move(waiting_.front());
    waiting_.pop_front();
    busy_since_ = now;
    return now + luck_.draw(in_flight_.meta ? habits.meta_sync : habits.log_sync);
}

disk::finished disk::finish() {
    finished done;
    busy_since_.reset();
    done.meta = in_flight_.meta;
    done.log = in_flight_.log;
    if (std::exchange(fail_next_, false)) {
        // B.5.4: nobody knows what of it is there; crash() will decide.
        done.ok = false;
        return done;
    }
    if (in_flight_.meta) {
        meta_ = in_flight_.meta->fields;
        cached_.meta.reset();
    }
    for (const replica::log_write& what : in_flight_.log) {
        write(what, what.entries.size());
    }
    in_flight_ = {};
    return done;
}

void disk::write(const replica::log_write& what, std::size_t entries) {
    if (what.truncates || shortened_) {
        cut_behind(what.previous.index);
    }
    shortened_ = false;
    const log_index end = last();
    if (what.previous.index != end) {
        misuse_ =
            fmt::format("a write behind {} while the log ends at {}", what.previous.index, end);
        return;
    }
    log_.insert(log_.end(), what.entries.begin(),
                what.entries.begin() + static_cast<std::ptrdiff_t>(entries));
}

void disk::cut_behind(log_index index) {
    log_.resize(std::min<std::size_t>(log_.size(), index.value()));
    if (rot_ && rot_->from > index) {
        rot_.reset();
    }
}

bool disk::write_beginning_of(const job& what) {
    if (what.meta) {
        // Two slots (B.1): the record is there or it is not.
        if (luck_.one_in(2)) {
            meta_ = what.meta->fields;
        }
        return false;
    }
    for (const replica::log_write& part : what.log) {
        const auto entries = static_cast<std::size_t>(luck_.below(part.entries.size() + 2));
        if (entries > part.entries.size()) {
            write(part, part.entries.size());
            continue;
        }
        if (entries != 0 || luck_.one_in(2)) {
            write(part, entries);
        }
        return true;
    }
    return false;
}

void disk::run_ahead() {
    const bool has_failed = !in_flight_.empty() && !busy_since_;
    if (has_failed || fail_next_) {
        return;
    }
    if (!in_flight_.empty() && luck_.one_in(2)) {
        static_cast<void>(finish());
    }
    if (in_flight_.empty() && !waiting_.empty()) {
        in_flight_ = std::move(waiting_.front());
        waiting_.pop_front();
    }
}

void disk::crash(death how) {
    waiting_.clear();
    busy_since_.reset();
    fail_next_ = false;
    job begun = std::exchange(in_flight_, {});
    if (how == death::exit) {
        if (begun.meta) {
            if (luck_.one_in(2)) {
                cached_.meta = begun.meta;
            }
        } else if (!begun.log.empty()) {
            torn_ = write_beginning_of(begun) || torn_;
        }
        return;
    }
    // The cache is gone. What it had may have been written behind everybody's back.
    if (cached_.meta && luck_.one_in(2)) {
        meta_ = cached_.meta->fields;
    }
    cached_ = {};
    torn_ = write_beginning_of(begun) || torn_;
}

scan_result disk::scan(bool meta_rewritten) {
    scan_result found;
    found.meta = cached_.meta ? cached_.meta->fields : meta_;
    if (meta_rewritten) {
        meta_ = found.meta;
        cached_ = {};
    }
    found.verdict = std::exchange(torn_, false) ? scan_verdict::torn : scan_verdict::clean;
    std::size_t usable = log_.size();
    if (rot_) {
        found.verdict = scan_verdict::damaged;
        usable = rot_->from.value() - 1;
        found.damage = replica::damage{.from = rot_->from, .end = std::nullopt};
        if (rot_->end_readable) {
            found.damage->end = replica::end_of(replica::point_of(*log_.back()));
        }
        shortened_ = true;
    }
    found.entries.assign(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(usable));
    return found;
}

replica::log_read disk::read(const replica::log_request& what) const {
    replica::log_read answer{.request = what.request, .entries = {}, .hole = false};
    std::size_t bytes = 0;
    for (log_index at = what.from; at <= what.to && at <= last(); at = at.next()) {
        if (rot_ && at >= rot_->from) {
            break;
        }
        answer.entries.push_back(log_[at.value() - 1]);
        bytes += answer.entries.back()->payload.size();
        if (bytes >= what.max_bytes) {
            break;
        }
    }
    answer.hole = answer.entries.empty();
    return answer;
}

bool disk::rot(log_index index, bool end_readable) {
    if (rot_ || index > last() || index.value() == 0) {
        return false;
    }
    rot_ = decay{.from = index, .end_readable = end_readable};
    return true;
}

void disk::replace() {
    meta_ = {};
    log_.clear();
    waiting_.clear();
    in_flight_ = {};
    cached_ = {};
    torn_ = false;
    rot_.reset();
    shortened_ = false;
}

} // namespace almenara::sim
