#include "sim/coverage.hpp"

namespace almenara::sim {

namespace {

/// What less than one run in ten sees. A search must have so many to be judged by it.
constexpr std::uint64_t many_runs = 80;

bool is_rare(sight what) {
    switch (what) {
    case sight::pull:
    case sight::split_promise:
    case sight::late_promise:
    case sight::damaged_unknown:
    case sight::torn_tail:
    case sight::damaged_log:
    case sight::state_ahead:
    case sight::misdirected_write:
    case sight::meta_slot_unreadable:
    case sight::sync_error:
    case sight::wiped_disk:
    case sight::held_for_handover:
    case sight::entered_in_shares:
        return true;
    default:
        return false;
    }
}

} // namespace

void coverage::saw(const replica::note& note) {
    switch (note.kind) {
    case replica::note_kind::office_taken:
        return saw(sight::office);
    case replica::note_kind::pull_started:
        return saw(sight::pull);
    case replica::note_kind::truncated:
        return saw(sight::truncation);
    case replica::note_kind::repaired:
        return saw(sight::repaired_log);
    case replica::note_kind::handover:
        return saw(sight::handover);
    default:
        return;
    }
}

void coverage::add(const coverage& other) {
    for (std::size_t i = 0; i < sights; ++i) {
        counts_[i] += other.counts_[i];
    }
}

bool coverage::knows_orders() const {
    constexpr std::uint64_t enough = 100;
    constexpr std::uint64_t most_unknown_of_1000 = 10;
    const std::uint64_t unknown = count(sight::order_unknown);
    const std::uint64_t all = count(sight::order_found) + unknown;
    return all < enough || unknown * 1000 <= all * most_unknown_of_1000;
}

std::vector<sight> coverage::missing(std::uint64_t runs) const {
    std::vector<sight> never;
    for (std::size_t i = 0; i < sights; ++i) {
        const auto each = static_cast<sight>(i);
        // Better not seen: an order that is not found, and servers that contradict one another.
        const bool is_unwanted = each == sight::order_unknown || each == sight::hint_contradicted;
        // With every profile in turn it is met in one run of a hundred: the search of damaged logs
        // answers for it (search.sh).
        const bool is_elsewhere = each == sight::damaged_while_running;
        const bool is_needed =
            !is_unwanted && !is_elsewhere && (runs >= many_runs || !is_rare(each));
        if (is_needed && counts_[i] == 0) {
            never.push_back(each);
        }
    }
    return never;
}

} // namespace almenara::sim
