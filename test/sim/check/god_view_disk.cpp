#include "sim/check/god_view.hpp"

#include <algorithm>

/// The part of the god's view that is about what one disk holds, and what its server says of it.
namespace almenara::sim::check {

void server_record::remember_durable() {
    if (!replaced && once_durable.last() < durable.last()) {
        once_durable = durable;
    }
}

bool is_less(const replica::damage& before, const replica::damage& after) {
    return after.end && (!before.end || *after.end < *before.end);
}

void god_view::check_disk_kept(const replica::start_state& start, const log_image& scanned) {
    const server_record& server = record(start.self);
    if (start.meta.epoch < server.meta.epoch) {
        found_.report("I2", "server {} starts in epoch {}, its disk had {}", start.self,
                      start.meta.epoch, server.meta.epoch);
    }
    const auto& had = server.meta.damaged;
    // A record that forgets it was judged when it was written, and may be there without a sync.
    const bool forgets = !start.meta.damaged && server.noted_damage;
    if (had && (forgets || (start.meta.damaged && is_less(*had, *start.meta.damaged)))) {
        found_.report("I26", "server {} starts and knows less of its damage than its disk did",
                      start.self);
    }
    const committed_entry* const base = committed_.at(start.base.index);
    if (start.base.index != log_index{} &&
        (base == nullptr || base->entry.point.hash != start.base.hash)) {
        found_.report("I10",
                      "server {} starts with a log that begins behind index {} of epoch {}, "
                      "which is not committed",
                      start.self, start.base.index, start.base.epoch);
    }
    // What a truncation on its way to the disk was about to remove may be there or not.
    log_index kept = server.durable.last();
    for (const auto& [batch, previous] : server.cuts_under_way) {
        kept = std::min(kept, previous);
    }
    // Damage takes nothing from before it, and no repair that was synced.
    if (start.found_damaged) {
        kept = std::min(kept, log_index{start.found_damaged->from.value() - 1});
    }
    const auto point = server.durable.at(kept);
    if (point && !scanned.holds(*point)) {
        found_.report("I11", "server {} starts with a log up to {}, a sync had returned for {}",
                      start.self, scanned.last(), kept);
    }
}

// -- The meta record ------------------------------------------------------------------------------

void god_view::take_meta(server_id server, const replica::persistent& meta) {
    check_damage(server, meta);
    server_record& is = record(server);
    if (!is.noted_damage) {
        is.owed_upto = committed_.last();
    }
    is.noted_damage = meta.damaged;
    // Of an epoch that already has a primary nothing is decided any more: this follows it (E0).
    if (!meta.promised_to || meta.promised_to->id == server || terms_.contains(meta.epoch)) {
        return;
    }
    if (meta.epoch == is.meta.epoch && meta.promised_to == is.meta.promised_to) {
        return; // The disk said so before: what changed is something else.
    }
    if (meta.damaged && !meta.damaged->end) {
        found_.report("I26", "server {} promises epoch {} and does not know how long its log was",
                      server, meta.epoch);
        return;
    }
    auto mine = replica::end_of(is.memory.end());
    if (meta.damaged) {
        mine = std::max(mine, *meta.damaged->end);
    }
    ballots_.check_log_test(server, meta.epoch, meta.promised_to->id, mine);
}

/// A log that rots under a running server is cut as soon as the record of it is durable.
void god_view::take_notes(server_id server,
                          const replica::output& out,
                          const replica::core_status& status) {
    server_record& is = record(server);
    const bool says_so =
        std::any_of(out.notes.begin(), out.notes.end(), [](const replica::note& note) {
            return note.kind == replica::note_kind::damaged;
        });
    if (says_so && status.damaged && status.damaged->from <= is.memory.last()) {
        is.cut_announced = true;
    }
}

void god_view::check_damage(server_id server, const replica::persistent& next) {
    const server_record& is = record(server);
    if (!is.noted_damage) {
        return;
    }
    if (next.damaged) {
        if (is_less(*is.noted_damage, *next.damaged)) {
            found_.report("I26", "server {} lowers the end of its damaged log", server);
        }
        return;
    }
    // B.1, caught up: it has an entry that was committed in the epoch of the primary it follows,
    // and by the chain everything before it.
    const auto first = committed_.first_of(next.epoch);
    if (!first || !is.durable.holds(committed_.at(*first)->entry.point)) {
        found_.report("I26",
                      "server {} forgets its damage with {} entries on its disk, none of them "
                      "committed in epoch {}",
                      server, is.durable.last(), next.epoch);
    }
    check_repaired(server, next.epoch);
}

/// It has again whatever it had of what was committed. Of later epochs it cannot know.
void god_view::check_repaired(server_id server, epoch in) {
    server_record& is = record(server);
    log_index index = std::min(is.owed_upto, is.once_durable.last());
    const auto counts = [&](const committed_entry* entry) {
        return entry == nullptr ||
               (entry->committed_in <= in && is.once_durable.holds(entry->entry.point));
    };
    while (!counts(committed_.at(index))) {
        index = log_index{index.value() - 1};
    }
    const committed_entry* owed = committed_.at(index);
    if (owed != nullptr && !is.durable.holds(owed->entry.point)) {
        found_.report("I26", "server {} forgets its damage with {} entries on its disk; it had {}",
                      server, is.durable.last(), index);
    }
    is.once_durable = {};
}

void god_view::meta_durable(server_id server, const replica::persistent& meta) {
    server_record& is = record(server);
    if (meta.epoch < is.meta.epoch) {
        found_.report("I2", "the durable epoch of server {} falls from {} to {}", server,
                      is.meta.epoch, meta.epoch);
    }
    // I20: a promise on another disk is nobody's, and counts for nobody.
    if (meta.promised_to && !is.replaced) {
        ballots_.promised(server, meta.epoch, *meta.promised_to);
    }
    is.meta = meta;
    is.damage_unrecorded = is.damage_unrecorded && !meta.damaged;
}

} // namespace almenara::sim::check
