#include "server/base_feed.hpp"

#include <algorithm>

namespace almenara::server {

void base_feed::committed(log_index upto, std::size_t bytes, instant now) {
    bytes_ = bytes;
    if (upto <= committed_) {
        return;
    }
    committed_ = upto;
    waits_since_ = waits_since_.value_or(now);
}

std::optional<base_feed::slice> base_feed::next(instant now) {
    if (!is_in_group()) {
        const auto when = due();
        if (!when || now < *when) {
            return std::nullopt;
        }
        group_end_ = std::min(committed_, log_index{given_.value() + group_entries});
        waits_since_.reset();
        if (group_end_ < committed_) {
            waits_since_ = now;
        }
    }
    given_ = std::min(group_end_, log_index{given_.value() + entries_of_slice()});
    return slice{.upto = given_, .ends_group = !is_in_group()};
}

/// By what an entry has on the average: what is held is at least what waits.
std::uint64_t base_feed::entries_of_slice() const {
    const std::uint64_t fit = slice_bytes * waiting() / std::max<std::uint64_t>(bytes_, 1);
    return std::clamp<std::uint64_t>(fit, 1, slice_entries);
}

std::optional<instant> base_feed::due() const {
    if (is_in_group() || waiting() >= group_entries) {
        return instant{};
    }
    if (!waits_since_) {
        return std::nullopt;
    }
    return bytes_ >= group_bytes ? instant{} : *waits_since_ + longest_wait;
}

} // namespace almenara::server
