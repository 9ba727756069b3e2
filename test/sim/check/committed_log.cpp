#include "sim/check/committed_log.hpp"

#include <algorithm>

namespace almenara::sim::check {

const committed_entry* committed_log::at(log_index index) const {
    if (index.value() == 0 || index > last()) {
        return nullptr;
    }
    return &entries_[index.value() - 1];
}

std::optional<log_index> committed_log::find(const session_bytes& session,
                                             std::uint64_t seq) const {
    const auto place = operations_.find({session, seq});
    return place == operations_.end() ? std::nullopt : std::optional{place->second};
}

std::optional<log_index> committed_log::first_of(epoch of) const {
    const auto place = first_of_.find(of);
    return place == first_of_.end() ? std::nullopt : std::optional{place->second};
}

log_index committed_log::last_before(epoch of) const {
    // From the end: whoever takes office is seldom far behind.
    const auto from_end =
        std::find_if(entries_.rbegin(), entries_.rend(),
                     [of](const committed_entry& entry) { return entry.committed_in < of; });
    return log_index{static_cast<std::uint64_t>(entries_.rend() - from_end)};
}

void committed_log::append(known_entry entry, epoch committed_in) {
    const log_index index = entry.point.index;
    if (entry.type == replica::entry_type::update && entry.seq != 0) {
        const auto [earlier, is_new] = operations_.try_emplace({entry.session, entry.seq}, index);
        if (!is_new) {
            found_.report("I13", "seq {} of session {} took effect at index {} and again at {}",
                          entry.seq, base::to_hex(entry.session), earlier->second, index);
        }
    }
    first_of_.try_emplace(entry.point.epoch, index);
    entries_.push_back({.entry = entry, .committed_in = committed_in});
}

} // namespace almenara::sim::check
