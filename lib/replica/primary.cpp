#include "base/check.hpp"
#include "replica/machine.hpp"
#include "replica/rules.hpp"
#include "wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

/// B.5: what a primary does with proposals and acks.
namespace almenara::replica {

// -- Proposals ------------------------------------------------------------------------------------

void machine::on(proposal& p) {
    const auto* office = std::get_if<primary>(&role_);
    if (office == nullptr || office->leaving) {
        return; // The driver asked next_slot() and was told.
    }
    append_own(p.type, p);
}

void machine::append_own(entry_type type, const proposal& p) {
    auto& office = std::get<primary>(role_);
    entry e;
    e.epoch = epoch();
    e.type = type;
    e.time = office.log_time.next(now_);
    e.session = p.session;
    e.seq = p.seq;
    e.first_unacked = p.first_unacked;
    e.payload = p.payload;
    if (type == entry_type::epoch_start) {
        wire::encode(epoch_start_payload{.primary = self_, .addresses = addresses_}, e.payload);
    }
    office.log_time.given(now_);
    append_taken(log_.seal(std::move(e)));
}

/// To memory and on its way to the disk.
void machine::append_taken(entry_ptr e) {
    const log_point previous = log_.last();
    log_.append(e);
    writer_.write(std::move(e), previous);
    log_.trim(std::min(applied_, writer_.durable()), settings_.limits.entry_cache_bytes);
}

// -- Acks -----------------------------------------------------------------------------------------

void machine::reset_progress(server_id peer) {
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr || !office->voters.contains(peer)) {
        return;
    }
    progress& p = office->voters[peer];
    const log_index match = p.match;
    const link& l = links_[peer];
    if (p.reading) {
        catch_up_reads_.erase(*p.reading);
    }
    const std::optional<instant> acked_at = p.acked_at;
    p = progress{};
    p.acked_at = acked_at;
    p.floor_told_at = now_.monotonic;
    p.next = std::max(std::min(l.said.rank.last_index, log_.last().index).next(), log_.first());
    if (!holds(rule::link_session_isolation)) {
        p.match = match;
    }
}

/// Where the logs agree is asked again; what was in flight counts for nothing. B.8: what stands
/// before the own log cannot be asked about.
void machine::probe_from(progress& p, log_index next) {
    if (p.reading) {
        catch_up_reads_.erase(*p.reading);
        p.reading.reset();
    }
    p.next = std::max(next, log_.first());
    p.probe_carried.reset();
    p.in_flight.clear();
    p.bytes_in_flight = p.entries_in_flight = 0;
    p.probing = true;
    p.probed_at.reset();
    p.over_bulk = false;
}

/// Acks of another epoch say nothing about this one (E0).
void machine::on_ack(const sender& from,
                     log_index match,
                     probe_number probe,
                     std::uint32_t disk_lag_ms) {
    if (from.epoch > epoch()) {
        return step_down(resign_reason::higher_epoch, from.epoch);
    }
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr || from.epoch != epoch()) {
        return;
    }
    const auto found = office->voters.find(from.id);
    if (found == office->voters.end() || match > log_.last().index) {
        return;
    }
    progress& p = found->second;
    office->sync.observe(from.id, p.match, fit(from.id, p), now_.monotonic);
    p.acked_at = now_.monotonic;
    office->excused = false;
    p.probe = std::max(p.probe, std::min(probe, office->probe));
    p.acked = true;
    p.disk_lag_ms = disk_lag_ms;
    if (match > p.match) {
        p.match = match;
        p.moved_at = now_.monotonic;
        p.out_of_reach = false;
    }
    while (!p.in_flight.empty() && p.in_flight.front().last <= match) {
        p.bytes_in_flight -= p.in_flight.front().bytes;
        p.entries_in_flight -= p.in_flight.front().entries;
        p.in_flight.pop_front();
    }
    if (p.probing && match.next() >= p.next) {
        p.probing = false;
        p.next = match.next();
        const auto carried = std::exchange(p.probe_carried, std::nullopt);
        if (carried && carried->last > match) {
            sent(p, *carried); // They are on the way to its disk already.
        }
    }
    advance_commit();
    handover_due(); // B.10.3: the successor may be where it must be now.
}

void machine::on(const sender& from, const heartbeat_ack& m) {
    if (auto* office = std::get_if<primary>(&role_); office != nullptr && from.epoch == epoch()) {
        const auto found = office->voters.find(from.id);
        if (found != office->voters.end()) {
            found->second.sick = m.sick;
            found->second.draining = m.draining;
            found->second.no_space = m.no_space;
            if (m.first != log_index{}) {
                found->second.log_first = m.first;
            }
            if (m.sick) {
                office->sync.remove(from.id, now_.monotonic);
            }
            if (m.match < found->second.match && holds(rule::link_session_isolation)) {
                // B.8: it cut what it had acked, and its NACK may not have come here. In one link
                // session and epoch it says less than before for no other reason.
                // What it still has it answers to the question from where it was.
                const log_index next = found->second.match.next();
                found->second.match = m.match;
                probe_from(found->second, next);
            }
        }
    }
    on_ack(from, m.match, m.probe, m.disk_lag_ms);
}

void machine::on_nack(const sender& from, const append_nack& m) {
    if (from.epoch > epoch()) {
        return step_down(resign_reason::higher_epoch, from.epoch);
    }
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr || from.epoch != epoch()) {
        return;
    }
    const auto found = office->voters.find(from.id);
    if (found == office->voters.end()) {
        return;
    }
    progress& p = found->second;
    p.acked_at = now_.monotonic; // It lives and knows this epoch.
    if (m.reason == nack_reason::corrupt) {
        return on_corrupt(from, m);
    }
    const bool of_the_probe = !p.probing || m.previous.next() == p.next;
    if (m.reason != nack_reason::mismatch || m.previous < p.match || !of_the_probe) {
        return; // It answers something that was sent before the last such answer.
    }
    // It cut what it had acked, for it found it damaged: it counts for what it can still read.
    p.match = std::min(p.match, m.last_index);
    // One round per epoch at most: where its epoch there begins, or behind its last entry.
    const log_index hint = std::max(std::min(m.hint, m.last_index.next()), log_.first());
    const log_index next = std::max(std::min(hint, log_.last().index.next()), p.match.next());
    // An answer that brings the search no further does not make the next question come sooner: a
    // peer could ask for half a megabyte with each of them.
    const auto asked_at = p.probing && next >= p.next ? p.probed_at : std::nullopt;
    if (next == log_.first() && m.previous.next() == next) {
        p.lacks_from = std::min(m.hint, m.last_index.next());
        out_of_reach(from.id, p);
    }
    probe_from(p, next);
    p.probed_at = asked_at;
    advance_commit();
}

/// B.8: the logs do not meet in what is left of this one, and there are no snapshots. What the
/// floor keeps does not come to this; a log that was damaged does, there or here.
void machine::out_of_reach(server_id peer, progress& p) {
    if (!std::exchange(p.out_of_reach, true)) {
        note_that(note_kind::out_of_reach,
                  fmt::format("server {} lacks entries below {}, which are recycled here: only who "
                              "still has them can give them to it",
                              peer, log_.first()));
    }
    leave_to_who_reaches(p);
}

// -- Commit and confirm ---------------------------------------------------------------------------

void machine::own_log_synced() {
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr) {
        return;
    }
    advance_commit();
}

/// B.5.4: with one voter too, the own match advances when the own sync returned.
log_index machine::own_match() const {
    return holds(rule::own_match_after_sync) ? writer_.durable() : log_.last().index;
}

log_index machine::majority_match() const {
    const auto& office = std::get<primary>(role_);
    std::vector<log_index> matches;
    if (voter(self_)) {
        matches.push_back(own_match());
    }
    for (const auto& [id, p] : office.voters) {
        if (voter(id)) {
            matches.push_back(p.match);
        }
    }
    if (matches.size() < quorum()) {
        return {};
    }
    std::sort(matches.begin(), matches.end(), std::greater<>{});
    return matches[quorum() - 1];
}

/// B.5.5: older epochs commit only through an entry of one's own.
void machine::advance_commit() {
    auto& office = std::get<primary>(role_);
    const log_index upto = majority_match();
    const auto at = log_.at(upto);
    if (upto > commit_ && at && (at->epoch == epoch() || !holds(rule::commit_own_epoch))) {
        const bool first = commit_ < office.epoch_start;
        set_commit(upto);
        office.sync.committed(upto, now_.monotonic);
        office.commit_untold_since = office.commit_untold_since.value_or(now_.monotonic);
        if (first && commit_ >= office.epoch_start) {
            unclean_ = false; // B.1: a primary is caught up when its EPOCH_START is committed.
        }
    }
    observe_sync_set();
    advance_confirmed();
}

bool machine::fit(server_id id, const progress& p) const {
    const auto l = links_.find(id);
    return l != links_.end() && l->second.open() && !p.sick && p.match > log_index{0};
}

void machine::observe_sync_set() {
    auto& office = std::get<primary>(role_);
    const std::set<server_id> before = office.sync.members();
    for (const auto& [id, p] : office.voters) {
        office.sync.observe(id, p.match, fit(id, p), now_.monotonic);
    }
    office.sync.observe(self_, own_match(), true, now_.monotonic);
    if (office.sync.members() != before) {
        note_that(note_kind::sync_set,
                  fmt::format("{} voters in the sync set", office.sync.members().size()));
    }
}

/// B.5.6: on the disk of every voter of the sync set, and committed.
void machine::advance_confirmed() {
    auto* office = std::get_if<primary>(&role_);
    if (office == nullptr || commit_ < office->epoch_start) {
        return;
    }
    const confirm_policy policy = log_.config()->confirm;
    log_index upto = commit_;
    std::vector<log_index> matches{own_match()};
    for (const auto& [id, p] : office->voters) {
        matches.push_back(p.match);
        const bool counts = policy == confirm_policy::all ||
                            (policy == confirm_policy::sync_set && office->sync.contains(id));
        if (counts && holds(rule::confirmed_is_not_committed)) {
            upto = std::min(upto, p.match);
        }
    }
    if (policy == confirm_policy::all ||
        (policy == confirm_policy::sync_set && office->sync.contains(self_))) {
        upto = std::min(upto, own_match());
    }
    if (upto <= office->confirmed) {
        return;
    }
    const auto durable_on =
        std::count_if(matches.begin(), matches.end(), [&](log_index m) { return m >= upto; });
    out_.confirmed.push_back({.first = office->confirmed.next(),
                              .last = upto,
                              .durable_on = static_cast<std::uint8_t>(durable_on),
                              .voters = static_cast<std::uint8_t>(voter_count())});
    office->confirmed = upto;
}

void machine::set_commit(log_index commit) {
    ALMENARA_CHECK(commit >= commit_ && commit <= log_.last().index);
    commit_ = commit;
}

// -- Timers ---------------------------------------------------------------------------------------

void machine::primary_due(const tick& t) {
    if (t.gap > settings_.timers.gap_paused && !live_quorum() &&
        !std::exchange(std::get<primary>(role_).excused, true)) {
        // D.3: judged only after what came meanwhile was read, and once.
        for (auto& [id, p] : std::get<primary>(role_).voters) {
            p.acked_at = std::max(p.acked_at.value_or(instant{}),
                                  now_.monotonic - settings_.timers.check_quorum +
                                      2 * settings_.timers.heartbeat);
        }
    }
    if (!live_quorum()) {
        leave_office(resign_reason::no_quorum, std::nullopt);
        return;
    }
    advance_commit();
    leave_a_bad_disk();
}

message_ptr machine::build_heartbeat() const {
    const auto& office = std::get<primary>(role_);
    std::uint64_t bits = 0;
    std::uint64_t bit = 1;
    for (const member& m : log_.config()->members) {
        bits |= office.sync.contains(m.id) ? bit : 0;
        bit <<= 1U;
    }
    const auto at = log_.at(commit_);
    return std::make_shared<const message>(
        heartbeat{.primary = self_,
                  .commit = commit_,
                  .commit_epoch = at ? at->epoch : almenara::epoch{},
                  .probe = office.probe,
                  .sync_set = bits,
                  .floor = floor()});
}

/// B.8: the lowest durable match of all data voters. Who was not heard of in this link session is
/// not known, and may lack anything.
log_index machine::floor() const {
    const auto* office = std::get_if<primary>(&role_);
    if (office == nullptr) {
        return named_floor_;
    }
    if (!holds(rule::floor_of_all)) {
        return commit_;
    }
    log_index lowest = own_match();
    for (const member& m : log_.config()->members) {
        if (m.voter && !m.witness && m.id != self_) {
            const auto p = office->voters.find(m.id);
            lowest = std::min(lowest, p == office->voters.end() ? log_index{} : p->second.match);
        }
    }
    return lowest;
}

/// When nothing else said so for a while, at once for reads, and soon for a new commit index that
/// no APPEND took along (B.5.7).
void machine::heartbeat_due() {
    auto& office = std::get<primary>(role_);
    const bool commit_is_due =
        office.commit_untold_since &&
        now_.monotonic - *office.commit_untold_since >= settings_.timers.commit_told;
    bool all_know_commit = true;
    message_ptr built;
    for (auto& [id, p] : office.voters) {
        const auto l = links_.find(id);
        if (l == links_.end() || !l->second.open()) {
            continue;
        }
        const bool silent =
            now_.monotonic - l->second.last_office_sent >= settings_.timers.heartbeat;
        const bool tells_commit = commit_is_due && p.told_commit < commit_;
        // B.8: only a HEARTBEAT says the floor, and APPENDs may come without end.
        const bool floor_is_old = now_.monotonic - p.floor_told_at >= settings_.timers.floor;
        if (silent || tells_commit || floor_is_old || (office.heartbeat_now && !p.told_in_turn)) {
            p.floor_told_at = now_.monotonic;
            built = built ? built : build_heartbeat();
            send_office(id, built);
            p.told_commit = commit_;
        }
        all_know_commit = all_know_commit && p.told_commit >= commit_;
    }
    if (all_know_commit) {
        office.commit_untold_since.reset();
    }
    for (auto& [id, p] : office.voters) {
        p.told_in_turn = false;
    }
    office.heartbeat_now = false;
}

} // namespace almenara::replica
