#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

/// B.5 CORRUPT, B.8 damaged: a log that cannot all be read promises nothing that it cannot keep,
/// and is repaired by the primary's entries.
namespace almenara::replica {

namespace {

/// Entries whose hashes backups dispute at the same time; the oldest dispute is forgotten.
constexpr std::size_t most_accused = 64;

} // namespace

void machine::on(const state_damaged&) {
    if (is_primary()) {
        leave_office(resign_reason::sick, std::nullopt);
    }
    die(ending::disk_failed, "the state does not agree with the log");
}

/// Found while running: first the record in `meta`, and only when that is synced the log is cut to
/// what can be trusted.
void machine::find_damaged(log_index from, std::optional<log_end> end, const std::string& why) {
    damage d{.from = from, .end = end, .uncut = true};
    if (const auto& old = ballot_.word().damaged) {
        d.from = std::min(d.from, old->from);
        d.end = d.end && old->end ? std::optional{std::max(*d.end, *old->end)} : std::nullopt;
    }
    note_that(note_kind::damaged, fmt::format("log damaged from {} on: {}", from, why));
    ballot_.set_damaged(d);
    forget_verified();
    outbox_.drop_acks(); // A sync that still returns would say that this server has what is cut.
    const log_index keep{d.from.value() - 1};
    cut_after_meta_ = std::min(cut_after_meta_.value_or(keep), keep);
    if (is_primary()) {
        leave_office(resign_reason::sick, std::nullopt);
    } else if (!std::holds_alternative<backup>(role_)) {
        become_backup(now_.monotonic + settings_.timers.suspect, election_reason::silent);
    }
}

/// What was known to agree with the primary's log may be what cannot be read: a heartbeat must not
/// call this server caught up by it.
void machine::forget_verified() {
    verified_ = {};
    verified_in_ = {};
    named_commit_ = {};
    caught_up_ = false;
}

void machine::cut_damaged_log() {
    const auto& durable = ballot_.durable().damaged;
    if (!cut_after_meta_ || durable != ballot_.word().damaged) {
        return;
    }
    const log_index keep = std::max(*cut_after_meta_, log_index{log_.first().value() - 1});
    const log_index acked = log_.last().index;
    cut_after_meta_.reset();
    forget_verified();
    outbox_.drop_acks();
    cut_behind(keep);
    if (known_primary_ && keep < acked) {
        // It must not wait for the next entry to learn that this server lacks some.
        send_when(*known_primary_,
                  append_nack{.reason = nack_reason::mismatch,
                              .previous = acked,
                              .hint = keep.next(),
                              .last_index = keep,
                              .hash = {}},
                  {.meta = {}, .batch = cut_batch_});
    }
    // What is being read back stood where the cut was made.
    next_fetch_.clear();
    for (const auto& [request, asked] : std::exchange(fetch_reads_, {})) {
        answer_fetch(asked.first, asked.second, {}, false);
    }
}

/// The cut is a write of its own. Nothing is taken before it is synced, and nothing is written
/// before `meta` says that it was: else the next start would cut what came by repair.
void machine::cut_behind(log_index keep) {
    log_.truncate_after(std::min(keep, log_.last().index));
    writer_.truncate(log_.last());
    cut_batch_ = writer_.newest();
}

void machine::cut_synced(batch_number batch) {
    if (!cut_batch_ || batch < *cut_batch_) {
        return;
    }
    cut_batch_.reset();
    if (std::optional<damage> d = ballot_.word().damaged; d && !cut_after_meta_) {
        d->uncut = false;
        ballot_.set_damaged(d);
    }
}

/// An entry of the same epoch with another hash is no conflict: one of the two disks or memories
/// is wrong. The primary looks at its own first.
void machine::corrupt_found(const sender& from, const entry& e, bool verified) {
    if (verified) {
        return find_damaged(e.index, own_end(), "the primary read its own entry back");
    }
    note_that(note_kind::damaged,
              fmt::format("entry {} has another hash than at server {}", e.index, from.id));
    send_reply(from.id, append_nack{.reason = nack_reason::corrupt,
                                    .previous = log_index{e.index.value() - 1},
                                    .hint = e.index,
                                    .last_index = log_.last().index,
                                    .hash = log_.at(e.index)->hash});
}

/// The same said of an entry that is new here: its content does not fit its hash.
void machine::corrupt_came(const sender& from, const entry& e) {
    note_that(note_kind::damaged,
              fmt::format("entry {} of server {} does not fit its hash", e.index, from.id));
    send_reply(from.id, append_nack{.reason = nack_reason::corrupt,
                                    .previous = log_index{e.index.value() - 1},
                                    .hint = e.index,
                                    .last_index = log_.last().index,
                                    .hash = log_.hash_of(e)});
}

void machine::on_corrupt(const sender& from, const append_nack& m) {
    auto& office = std::get<primary>(role_);
    const auto mine = log_.at(m.hint);
    if (!mine || m.hint == log_index{0} || mine->hash == m.hash) {
        return;
    }
    if (office.accused.size() >= most_accused && !office.accused.contains(m.hint)) {
        office.accused.erase(office.accused.begin());
    }
    auto& named = office.accused[m.hint];
    named[from.id] = m.hash;
    const auto same = std::count_if(named.begin(), named.end(), [&](const auto& who) {
        return who.second == m.hash && voter(who.first);
    });
    if (static_cast<std::size_t>(same) >= quorum() && holds(rule::corrupt_blames_primary)) {
        return find_damaged(m.hint, own_end(), "a majority has another entry there");
    }
    if (office.corrupt_reads.size() < office.voters.size()) {
        office.corrupt_reads[request_read(read_purpose::corrupt, m.hint, m.hint)] = {from.id,
                                                                                     m.hint};
    }
}

void machine::on_corrupt_read(server_id who, log_index index, log_read& r) {
    auto& office = std::get<primary>(role_);
    if (index < log_.first()) {
        return; // B.8: recycled while it was read, so whoever complained has it in its state.
    }
    if (r.hole || r.entries.empty() || !log_.verifies(*r.entries.front())) {
        if (!holds(rule::corrupt_blames_primary)) {
            return;
        }
        return find_damaged(index, own_end(), "the own entry does not verify");
    }
    // Entries and positions in memory were compared with the disk: this one is what was written.
    const entry_ptr& e = r.entries.front();
    const auto before = log_.at(log_index{e->index.value() - 1});
    const auto at = log_.at(commit_);
    append m{.primary = self_,
             .previous = *before,
             .commit = commit_,
             .commit_epoch = at ? at->epoch : almenara::epoch{},
             .probe = office.probe,
             .verified = true,
             .entries = {*e}};
    send_office(who, std::make_shared<const message>(std::move(m)));
}

/// B.8: cleared, synced, by a server that is caught up and by nothing else.
void machine::repaired_if_caught_up() {
    if (!caught_up_ || cut_pending()) {
        return;
    }
    unclean_ = false;
    if (ballot_.word().damaged) {
        note_that(note_kind::repaired, fmt::format("log repaired up to {}", verified_));
        ballot_.set_damaged(std::nullopt);
    }
}

} // namespace almenara::replica
