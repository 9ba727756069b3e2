#include "replica/log_view.hpp"

#include "base/check.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <utility>

namespace almenara::replica {

std::size_t weight(const entry& e) {
    return e.payload.size() + 96;
}

log_view::log_view(const start_state& start)
    : base_(start.base), time_at_base_(start.time_at_base), last_(start.base) {
    for (const log_point& point : start.positions) {
        push_position(point);
    }
    first_in_memory_ = start.recent.empty() ? last_.index.next() : start.recent.front()->index;
    for (const entry_ptr& e : start.recent) {
        entries_.push_back(e);
        bytes_ += weight(*e);
    }
    for (const entry_ptr& e : start.configs) {
        push_config(*e);
    }
}

wall_time log_view::newest_time() const {
    const entry_ptr newest = find(last_.index);
    return newest ? newest->time : time_at_base_;
}

std::optional<log_point> log_view::at(log_index index) const {
    if (index == base_.index) {
        return base_;
    }
    if (index < base_.index || index > last_.index) {
        return std::nullopt;
    }
    const std::size_t place = index.value() - base_.index.value() - 1;
    return log_point{.index = index, .epoch = epoch_at(index), .hash = hashes_[place]};
}

almenara::epoch log_view::epoch_at(log_index index) const {
    const auto behind =
        std::upper_bound(runs_.begin(), runs_.end(), index,
                         [](log_index i, const epoch_run& run) { return i < run.first; });
    return std::prev(behind)->epoch;
}

log_index log_view::first_of_epoch(log_index index) const {
    const auto behind =
        std::upper_bound(runs_.begin(), runs_.end(), index,
                         [](log_index i, const epoch_run& run) { return i < run.first; });
    return behind == runs_.begin() ? index : std::prev(behind)->first;
}

entry_ptr log_view::find(log_index index) const {
    if (index < first_in_memory_ || index > last_.index) {
        return nullptr;
    }
    return entries_[index.value() - first_in_memory_.value()];
}

bool log_view::continues(const entry& next) {
    if (next.index == log_index{0}) {
        return false;
    }
    const auto before = at(log_index{next.index.value() - 1});
    return before && next.epoch >= before->epoch &&
           next.hash == chain_hash(before->hash, next, scratch_);
}

hash64 log_view::hash_of(const entry& e) {
    const auto before = at(log_index{e.index.value() - 1});
    return before ? chain_hash(before->hash, e, scratch_) : hash64{};
}

entry_ptr log_view::seal(entry raw) {
    raw.index = last_.index.next();
    raw.hash = chain_hash(last_.hash, raw, scratch_);
    return std::make_shared<const entry>(std::move(raw));
}

void log_view::append(entry_ptr next) {
    ALMENARA_CHECK(next->index == last_.index.next());
    push_position(point_of(*next));
    bytes_ += weight(*next);
    if (next->type == entry_type::config) {
        push_config(*next);
    }
    entries_.push_back(std::move(next));
}

void log_view::push_position(const log_point& point) {
    if (runs_.empty() || runs_.back().epoch != point.epoch) {
        runs_.push_back({.first = point.index, .epoch = point.epoch});
    }
    hashes_.push_back(point.hash);
    last_ = point;
}

void log_view::push_config(const entry& e) {
    auto config = wire::decode<cluster_config>(e.payload);
    if (config && voters(*config) == 0) {
        return; // Nobody could ever decide anything by it.
    }
    if (config && !configs_.empty() && configs_.back().index == e.index) {
        configs_.back().config = std::move(*config); // Repaired, it was known from the state.
    } else if (config) {
        configs_.push_back({.index = e.index, .config = std::move(*config)});
    }
}

void log_view::truncate_after(log_index new_last) {
    ALMENARA_CHECK(new_last >= base_.index && new_last <= last_.index);
    last_ = *at(new_last);
    hashes_.resize(new_last.value() - base_.index.value());
    while (!runs_.empty() && runs_.back().first > new_last) {
        runs_.pop_back();
    }
    while (!entries_.empty() && entries_.back()->index > new_last) {
        bytes_ -= weight(*entries_.back());
        entries_.pop_back();
    }
    if (entries_.empty()) {
        first_in_memory_ = new_last.next();
    }
    // Entry 1 says to which cluster this disk belongs: that is known even if it must be repaired.
    while (configs_.size() > 1 && configs_.back().index > new_last) {
        configs_.pop_back();
    }
}

void log_view::trim(log_index upto, std::size_t most_bytes) {
    while (bytes_ > most_bytes && !entries_.empty() && entries_.front()->index < upto) {
        bytes_ -= weight(*entries_.front());
        first_in_memory_ = entries_.front()->index.next();
        entries_.pop_front();
    }
}

void log_view::forget(log_index upto) {
    ALMENARA_CHECK(upto >= base_.index && upto < last_.index);
    const log_point new_base = *at(upto);
    hashes_.erase(hashes_.begin(), hashes_.begin() + static_cast<std::ptrdiff_t>(
                                                         upto.value() - base_.index.value()));
    base_ = new_base;
    while (runs_.size() > 1 && runs_[1].first <= first()) {
        runs_.erase(runs_.begin());
    }
    runs_.front().first = std::max(runs_.front().first, first());
    while (!entries_.empty() && entries_.front()->index <= upto) {
        bytes_ -= weight(*entries_.front());
        entries_.pop_front();
    }
    first_in_memory_ = std::max(first_in_memory_, first());
}

const cluster_config* log_view::config() const {
    return configs_.empty() ? nullptr : &configs_.back().config;
}

log_index log_view::config_index() const {
    return configs_.empty() ? log_index{} : configs_.back().index;
}

bool log_view::verifies(const entry& read) {
    const auto here = at(read.index);
    const auto before =
        read.index > log_index{0} ? at(log_index{read.index.value() - 1}) : std::nullopt;
    return here && before && point_of(read) == *here &&
           chain_hash(before->hash, read, scratch_) == here->hash;
}

} // namespace almenara::replica
