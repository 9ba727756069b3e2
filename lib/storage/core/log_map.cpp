#include "storage/core/log_map.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace almenara::storage::core {

namespace {

void clip(mapped_segment& segment, log_index last) {
    auto& batches = segment.batches;
    while (!batches.empty() && batches.back().first > last) {
        batches.pop_back();
    }
    if (!batches.empty()) {
        batches.back().last = std::min(batches.back().last, last);
    }
}

const batch_place* find_in(const mapped_segment& segment, log_index index) {
    const auto& batches = segment.batches;
    const auto behind =
        std::upper_bound(batches.begin(), batches.end(), index,
                         [](log_index i, const batch_place& place) { return i < place.first; });
    if (behind == batches.begin() || std::prev(behind)->last < index) {
        return nullptr;
    }
    return &*std::prev(behind);
}

log_index last_of(const mapped_segment& segment) {
    return segment.batches.empty() ? log_index{} : segment.batches.back().last;
}

} // namespace

void log_map::open(mapped_segment segment, bool resets) {
    ALMENARA_CHECK(segments_.empty() || segments_.back().seq < segment.seq);
    if (segment.readable) {
        cut_behind(resets ? log_index{} : segment.previous);
    }
    segments_.push_back(std::move(segment));
}

void log_map::add(batch_place place) {
    ALMENARA_CHECK(!segments_.empty());
    segments_.back().batches.push_back(place);
}

void log_map::cut_behind(log_index last) {
    for (mapped_segment& segment : segments_) {
        clip(segment, last);
    }
}

std::optional<log_map::found> log_map::find(log_index index) const {
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
        if (const batch_place* place = find_in(*segment, index)) {
            return found{.segment = segment->seq, .uuid = segment->uuid, .place = *place};
        }
    }
    return std::nullopt;
}

std::optional<mapped_segment> log_map::oldest_if_free(const recycling_limits& limits) const {
    if (segments_.size() < 2) {
        return std::nullopt; // The newest is being written.
    }
    const log_index last = last_of(segments_.front());
    if (last > std::min(limits.floor, limits.flushed)) {
        return std::nullopt;
    }
    if (last == log_index{}) {
        return segments_.front(); // Nothing in it is the log's.
    }
    std::uint64_t behind = 0;
    for (auto segment = std::next(segments_.begin()); segment != segments_.end(); ++segment) {
        if (!segment->batches.empty() && segment->batches.front().first <= limits.flushed) {
            behind += segment->size;
        }
    }
    const bool entries_suffice = limits.flushed.value() - last.value() >= limits.kept.entries;
    if (behind < limits.kept.bytes || (!entries_suffice && behind < limits.kept.most_bytes)) {
        return std::nullopt;
    }
    return segments_.front();
}

} // namespace almenara::storage::core
