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
    damage d{.from = from, .end = end};
    if (const auto& old = ballot_.word().damaged) {
        d.from = std::min(d.from, old->from);
        d.end = d.end && old->end ? std::optional{std::max(*d.end, *old->end)} : std::nullopt;
    }
    note_that(note_kind::damaged, fmt::format("log damaged from {} on: {}", from, why));
    ballot_.set_damaged(d);
    forget_verified();
    const log_index keep{d.from.value() - 1};
    cut_after_meta_ = {ballot_.record(),
                       cut_after_meta_ ? std::min(cut_after_meta_->second, keep) : keep};
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
    if (!cut_after_meta_ || !durable || durable->from > cut_after_meta_->second.next()) {
        return;
    }
    const log_index keep = std::max(cut_after_meta_->second, log_index{log_.first().value() - 1});
    cut_after_meta_.reset();
    forget_verified();
    if (keep < log_.last().index) {
        const log_index acked = log_.last().index;
        log_.truncate_after(keep);
        writer_.truncate(log_.last());
        if (known_primary_) {
            // It must not wait for the next entry to learn that this server lacks some.
            send_reply(*known_primary_, append_nack{.reason = nack_reason::mismatch,
                                                    .previous = acked,
                                                    .hint = keep.next(),
                                                    .last_index = keep,
                                                    .hash = {}});
        }
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
        office.corrupt_reads[request_read(read_purpose::corrupt, m.hint, m.hint)] = from.id;
    }
}

void machine::on_corrupt_read(server_id who, log_read& r) {
    auto& office = std::get<primary>(role_);
    if (r.hole || r.entries.empty() || !log_.verifies(*r.entries.front())) {
        if (!holds(rule::corrupt_blames_primary)) {
            return;
        }
        const log_index at = r.entries.empty() ? log_.first() : r.entries.front()->index;
        return find_damaged(at, own_end(), "the own entry does not verify");
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
    if (!caught_up_ || cut_after_meta_) {
        return;
    }
    unclean_ = false;
    if (ballot_.word().damaged) {
        note_that(note_kind::repaired, fmt::format("log repaired up to {}", verified_));
        ballot_.set_damaged(std::nullopt);
    }
}

} // namespace almenara::replica
