#include "sim/check/god_view.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace almenara::sim::check {

namespace {

bool leaves_office(const replica::output& out) {
    return std::any_of(out.office.begin(), out.office.end(),
                       [](const replica::office_event& office) {
                           return std::holds_alternative<replica::left_office>(office);
                       });
}

} // namespace

god_view::god_view(findings& found)
    : found_(found), known_(found), committed_(found), ballots_(found) {}

const server_record* god_view::find(server_id server) const {
    const auto place = servers_.find(server);
    return place == servers_.end() ? nullptr : &place->second;
}

// -- Processes ------------------------------------------------------------------------------------

void god_view::started(const replica::start_state& start) {
    server_record& server = record(start.self);
    log_image scanned{start.base};
    for (const auto& point : start.positions) {
        scanned.push(point);
    }
    check_disk_kept(start, scanned);
    if (start.found_damaged) {
        server.remember_durable();
    }
    server = {.replaced = server.replaced,
              .durable = scanned,
              .once_durable = server.once_durable,
              .meta = start.meta,
              .running = true,
              .incarnation = start.incarnation,
              .memory = scanned,
              .epoch_at_start = std::max(start.meta.epoch, scanned.end().epoch),
              .applied_at_start = start.applied,
              .epoch_of_log = scanned.end().epoch,
              .handed_to_base = start.applied,
              .noted_damage = start.meta.damaged,
              .owed_upto = committed_.last()};
    if (start.found_damaged) {
        server.damage_unrecorded =
            !start.meta.damaged || is_less(*start.found_damaged, *start.meta.damaged);
    }
    for (const auto& entry : start.recent) {
        const auto before = server.memory.at(log_index{entry->index.value() - 1});
        if (before) {
            known_.stands(start.self, *entry, *before);
        }
    }
    if (start.meta.promised_to && !server.replaced) {
        ballots_.promised(start.self, start.meta.epoch, *start.meta.promised_to);
    }
}

void god_view::disk_replaced(server_id server) {
    server_record& is = record(server);
    is.remember_durable();
    is = {.replaced = true, .once_durable = std::move(is.once_durable)};
}

void god_view::ended(server_id server) {
    record(server).running = false;
    record(server).office.reset();
}

// -- One turn -------------------------------------------------------------------------------------

void god_view::took(server_id server, const replica::output& out, const replica::core& core) {
    took(server, out, core.status(), core.config());
}

void god_view::took(server_id server,
                    const replica::output& out,
                    const replica::core_status& status,
                    const replica::cluster_config* config) {
    if (config != nullptr && (!config_ || config_->members.size() != config->members.size())) {
        config_ = *config;
    }
    server_record& is = record(server);
    const replica::core_status before = is.seen ? is.status : status;
    take_log(server, out, status);
    take_notes(server, out, status);
    if (out.meta) {
        take_meta(server, out.meta->fields);
    }
    take_status(server, status);
    for (const auto& confirmed : out.confirmed) {
        check_confirmed(server, confirmed, before);
    }
    take_apply(server, out.apply);
    take_offices(server, out, before);
    for (const auto& sent : out.send) {
        check_sent(server, sent);
    }
    if (out.announce) {
        check_announced(server, *out.announce);
    }
    check_role(server);
    check_credit(server);
}

void god_view::take_status(server_id server, const replica::core_status& status) {
    server_record& is = record(server);
    if (is.seen && status.epoch < is.status.epoch) {
        found_.report("I2", "server {} goes back from epoch {} to {}", server, is.status.epoch,
                      status.epoch);
    }
    if (is.seen && status.commit < is.status.commit) {
        found_.report("I8", "server {} takes its commit index back from {} to {}", server,
                      is.status.commit, status.commit);
    }
    // A damaged log may end below what the state holds, or what was committed already (B.8).
    log_index last = std::max(status.last.index, is.applied_at_start);
    if (is.seen && is.noted_damage) {
        last = std::max(last, is.status.commit);
    }
    if (status.applied > std::max(status.commit, is.applied_at_start) || status.commit > last) {
        found_.report("I8", "server {}: applied {}, commit {}, last {}", server, status.applied,
                      status.commit, last);
    }
    check_own_sync(server, status.durable_upto);
    const bool news = !is.seen || status.commit != is.status.commit;
    is.status = status;
    is.seen = true;
    if (news) {
        take_commit(server, status.commit);
    }
}

void god_view::check_own_sync(server_id server, log_index durable_upto) {
    const server_record& is = record(server);
    const auto point = is.memory.at(durable_upto);
    if (point && !is.durable.holds(*point)) {
        found_.report("I11", "server {} counts its own index {} as durable, its disk has {}",
                      server, durable_upto, is.durable.last());
    }
}

// -- The log --------------------------------------------------------------------------------------

void god_view::take_log(server_id server,
                        const replica::output& out,
                        const replica::core_status& status) {
    server_record& is = record(server);
    const bool in_office = is.office && status.role == replica::role_name::primary &&
                           status.epoch == *is.office && !leaves_office(out);
    for (const auto& write : out.log) {
        check_write(server, write, in_office);
        check_still_has_acked(server, write, status);
        is.cut_announced = is.cut_announced && !write.truncates;
        if (write.truncates) {
            is.memory.cut_behind(write.previous.index);
            is.cuts_under_way.emplace(write.batch, write.previous.index);
        }
        for (const auto& entry : write.entries) {
            known_.stands(server, *entry, is.memory.end());
            is.memory.push(replica::point_of(*entry));
        }
    }
}

void god_view::check_write(server_id server, const replica::log_write& write, bool in_office) {
    const server_record& is = record(server);
    const log_index last = is.memory.last();
    if (!is.memory.holds(write.previous) || (!write.truncates && last != write.previous.index)) {
        found_.report("I5", "server {} writes behind index {} of epoch {}, its log ends at {}",
                      server, write.previous.index, write.previous.epoch, last);
    }
    if (!write.truncates || last <= write.previous.index) {
        return;
    }
    if (in_office) {
        found_.report("I4", "server {}, primary of epoch {}, removes {} to {} of its own log",
                      server, *is.office, write.previous.index.next(), last);
    }
    // B.8: what cannot be read may go once the disk knows how long the log was.
    const auto& damaged = is.meta.damaged;
    if (is.cut_announced && damaged && damaged->from <= write.previous.index.next() &&
        (!damaged->end || replica::end_of(is.memory.end()) <= *damaged->end)) {
        return;
    }
    const committed_entry* committed = committed_.at(write.previous.index.next());
    if (committed != nullptr && is.memory.holds(committed->entry.point)) {
        found_.report("I7", "server {} removes index {} of epoch {}, which is committed", server,
                      committed->entry.point.index, committed->entry.point.epoch);
    }
}

/// As a backup of a primary nobody removes what he acked to it: its log agrees up to there. Only a
/// log that cannot be read is another matter (B.8), and a prospect that adopts a better one (E6).
void god_view::check_still_has_acked(server_id server,
                                     const replica::log_write& write,
                                     const replica::core_status& status) {
    const server_record& is = record(server);
    const auto role = replica::role_name::backup;
    const bool was_backup = is.seen && is.status.role == role && status.role == role;
    if (was_backup && write.truncates && !is.noted_damage && is.acked.epoch == status.epoch &&
        write.previous.index < is.acked.index) {
        found_.report("I11", "server {} cuts its log behind {}; it acked {} in this epoch {}",
                      server, write.previous.index, is.acked.index, status.epoch);
    }
}

void god_view::log_durable(server_id server, const replica::log_write& write) {
    server_record& is = record(server);
    // B.1: a power loss right behind this write would leave a log that looks whole.
    if (is.damage_unrecorded) {
        found_.report("I26", "server {} writes its log before its damage is on the disk", server);
    }
    if (write.truncates) {
        if (is.meta.damaged) {
            is.remember_durable();
        }
        is.durable.cut_behind(write.previous.index);
        is.cuts_under_way.erase(write.batch);
    }
    if (is.durable.last() != write.previous.index) {
        found_.report("I11", "the disk of server {} has {} and now what comes behind {}", server,
                      is.durable.last(), write.previous.index);
    }
    for (const auto& entry : write.entries) {
        is.durable.push(replica::point_of(*entry));
    }
}

// -- What is committed ----------------------------------------------------------------------------

void god_view::take_commit(server_id server, log_index commit) {
    const server_record& is = record(server);
    if (commit > committed_.last()) {
        extend_committed(server, commit);
    }
    const committed_entry* agreed = committed_.at(commit);
    const auto mine = is.memory.at(commit);
    if (agreed != nullptr && mine && !is.memory.holds(agreed->entry.point)) {
        found_.report("I9",
                      "server {} calls index {} of epoch {} committed, elsewhere that is the one "
                      "of epoch {}",
                      server, commit, mine->epoch, agreed->entry.point.epoch);
    }
}

void god_view::extend_committed(server_id server, log_index commit) {
    const server_record& is = record(server);
    const epoch committed_in = is.office.value_or(is.status.epoch);
    for (log_index index = committed_.last().next(); index <= commit; index = index.next()) {
        const auto point = is.memory.at(index);
        const known_entry* entry = point ? known_.find(index, point->epoch) : nullptr;
        if (entry == nullptr) {
            found_.report("I8", "server {} calls index {} committed and does not have it", server,
                          index);
            return;
        }
        committed_.append(*entry, committed_in);
        check_later_terms(*entry, committed_in);
    }
    // B.5.5: an entry of an older epoch on a majority may still be replaced (Raft figure 8).
    const epoch newest = is.memory.at(commit)->epoch;
    if (is.office && newest != *is.office) {
        found_.report("I6", "server {}, primary of epoch {}, commits index {} of epoch {} by count",
                      server, *is.office, commit, newest);
    }
}

void god_view::check_later_terms(const known_entry& entry, epoch committed_in) {
    for (auto place = terms_.upper_bound(committed_in); place != terms_.end(); ++place) {
        const term& later = place->second;
        if (entry.point.index <= later.checked_upto) {
            continue;
        }
        const auto offset = entry.point.index.value() - later.checked_upto.value() - 1;
        if (offset >= later.tail.size() || later.tail[offset].hash != entry.point.hash) {
            found_.report("I17",
                          "index {} of epoch {} is committed in epoch {}; server {} took office in "
                          "epoch {} without it",
                          entry.point.index, entry.point.epoch, committed_in, later.primary.id,
                          place->first);
        }
    }
}

void god_view::take_apply(server_id server, const std::vector<replica::entry_ptr>& entries) {
    server_record& is = record(server);
    for (const auto& entry : entries) {
        const committed_entry* agreed = committed_.at(entry->index);
        if (agreed == nullptr || agreed->entry.point.hash != entry->hash) {
            found_.report("I10", "server {} applies index {} of epoch {}, which is not committed",
                          server, entry->index, entry->epoch);
        } else if (!is.durable.holds(replica::point_of(*entry))) {
            found_.report("I10", "server {} applies index {}, which its own disk does not have",
                          server, entry->index);
        }
        if (entry->index != is.handed_to_base.next()) {
            found_.report("I10", "server {} applies index {} behind {}", server, entry->index,
                          is.handed_to_base);
        }
        is.handed_to_base = entry->index;
    }
}

bool god_view::state_digest(server_id server, log_index applied, std::uint64_t digest) {
    const auto [known, is_new] = digests_.try_emplace(applied, digest);
    if (!is_new && known->second != digest) {
        found_.report("I9", "server {} at index {} has a state {:016x}, another one had {:016x}",
                      server, applied, digest, known->second);
    }
    return !is_new;
}

void god_view::answered(server_id server, log_index index) {
    if (index > committed_.last()) {
        found_.report("I10", "server {} answers from index {}, committed is {}", server, index,
                      committed_.last());
    }
}

} // namespace almenara::sim::check
