#include "sim/coverage.hpp"

namespace almenara::sim {

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

std::vector<sight> coverage::missing() const {
    std::vector<sight> never;
    for (const sight needed :
         {sight::office, sight::pull, sight::split_promise, sight::torn_tail, sight::damaged_log,
          sight::damaged_unknown, sight::damaged_while_running, sight::window_full,
          sight::repaired_log, sight::dropped_overlay, sight::truncation, sight::bulk_catch_up,
          sight::handover, sight::power_loss_of_all}) {
        if (count(needed) == 0) {
            never.push_back(needed);
        }
    }
    return never;
}

} // namespace almenara::sim
