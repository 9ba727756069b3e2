#include "sim/agenda.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <tuple>

namespace almenara::sim {

namespace {

bool later(const appointment& a, const appointment& b) {
    return std::tie(a.at, a.order) > std::tie(b.at, b.order);
}

} // namespace

void agenda::add(instant at, task about, std::uint32_t who, std::uint64_t which) {
    heap_.push_back(
        {.at = std::max(at, now_), .order = order_++, .about = about, .who = who, .which = which});
    std::push_heap(heap_.begin(), heap_.end(), later);
}

std::optional<appointment> agenda::next(instant end) {
    if (heap_.empty() || heap_.front().at > end) {
        now_ = std::max(now_, end);
        return std::nullopt;
    }
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const appointment due = heap_.back();
    heap_.pop_back();
    ALMENARA_CHECK(due.at >= now_);
    now_ = due.at;
    return due;
}

} // namespace almenara::sim
