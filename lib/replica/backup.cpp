#include "replica/machine.hpp"
#include "replica/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

/// B.5: what a backup does with what its primary sends.
namespace almenara::replica {

void machine::on_append(const sender& from, append& m) {
    if (m.primary != from.id || !accept_primary(from, true)) {
        return;
    }
    primary_known(from.id);
    const taken t = take_entries(from, m.previous, m.entries, m.verified);
    if (!t.ok) {
        return;
    }
    primary_commit(m.commit, m.commit_epoch);
    acknowledge(from.id, t.match, m.probe);
}

void machine::on_catch_up_chunk(const sender& from, log_chunk& m) {
    // E0 on bulk: the epoch and the link session are the current ones, or the frame is dropped.
    const auto l = links_.find(from.id);
    const bool current = from.epoch == epoch() && m.session == l->second.session &&
                         known_primary_ == from.id && std::holds_alternative<backup>(role_);
    if (!current && holds(rule::bulk_epoch)) {
        return;
    }
    if (!m.session || is_primary()) {
        return;
    }
    primary_heard_ = now_.monotonic;
    const taken t = take_entries(from, m.previous, m.entries, false);
    if (t.ok) {
        acknowledge(from.id, t.match, {});
    }
}

/// APPEND_ACK after fdatasync: it waits in the outbox for the batch that holds the last entry.
void machine::acknowledge(server_id to, log_index match, probe_number probe) {
    until when;
    const log_index durable = writer_.durable();
    if (match > durable && holds(rule::ack_after_sync)) {
        when.batch = writer_.newest();
    }
    send_when(to, append_ack{.match = match, .probe = probe, .disk_lag_ms = disk_lag_ms()}, when);
}

/// B.5 backup 1. Gives whether it was refused.
bool machine::refuse_previous(const sender& from, const log_point& previous) {
    append_nack no{.reason = nack_reason::mismatch,
                   .previous = previous.index,
                   .hint = log_.last().index.next(),
                   .last_index = log_.last().index,
                   .hash = {}};
    const auto here = log_.at(previous.index);
    if (!here) {
        if (previous.index < log_.first()) {
            // B.8: the state has what stood there, so nothing is missing. Where they agree begins
            // behind what is committed.
            no.hint = std::min(commit_, log_.last().index).next();
        }
        send_reply(from.id, no);
        return true;
    }
    if (here->epoch != previous.epoch) {
        // Never below what is committed, for there the logs agree: others may have recycled it.
        no.hint =
            std::max(log_.first_of_epoch(previous.index), std::min(commit_.next(), previous.index));
        send_reply(from.id, no);
        return true;
    }
    if (here->hash != previous.hash && holds(rule::corrupt_never_truncates)) {
        no.reason = nack_reason::corrupt;
        no.hint = previous.index;
        no.hash = here->hash;
        note_that(note_kind::damaged, fmt::format("entry {} has another hash than at server {}",
                                                  previous.index, from.id));
        send_reply(from.id, no);
        return true;
    }
    return false;
}

/// B.5 backup 2: the entries become part of the own log, unless they are in it.
machine::taken machine::take_entries(const sender& from,
                                     const log_point& previous,
                                     std::vector<entry>& entries,
                                     bool verified) {
    if (cut_pending() || refuse_previous(from, previous)) {
        return {};
    }
    const std::pair session{epoch(), links_[from.id].session};
    if (verified_in_ != session) {
        verified_in_ = session;
        verified_ = {};
        named_commit_ = {};
        caught_up_ = false;
    }
    log_index match = previous.index;
    for (entry& e : entries) {
        if (e.index != match.next() || e.epoch > epoch()) {
            note_that(note_kind::foreign_message, "entries of an APPEND are not in order");
            return {};
        }
        if (const auto here = log_.at(e.index)) {
            if (here->epoch == e.epoch && here->hash == e.hash) {
                match = e.index;
                continue;
            }
            if (here->epoch == e.epoch && holds(rule::corrupt_never_truncates)) {
                // Only an entry that fits its own hash says something about mine.
                if (log_.continues(e)) {
                    corrupt_found(from, e, verified);
                } else {
                    corrupt_came(from, e);
                }
                return {};
            }
        }
        if (!log_.continues(e)) {
            // What came is not what was hashed, so the sender's memory or its disk is wrong.
            corrupt_came(from, e);
            return {};
        }
        if (!make_room(e)) {
            return {};
        }
        match = e.index;
        append_taken(std::make_shared<const entry>(std::move(e)));
    }
    verified_ = std::max(verified_, match);
    if (const log_index was_applied = std::min(handed_out_, verified_); was_applied > commit_) {
        set_commit(was_applied); // B.8: what the state holds was committed; it is repaired now.
    }
    return {.ok = true, .match = match};
}

/// A conflict is a different epoch at the same index: the own suffix goes, on the primary's word
/// only and never what is committed.
bool machine::make_room(const entry& e) {
    if (e.index > log_.last().index) {
        return true;
    }
    if (e.index <= commit_ && holds(rule::no_truncation_below_commit)) {
        die(ending::safety_broken,
            fmt::format("entry {} is committed here, and the primary has another", e.index));
        return false;
    }
    const log_index keep{e.index.value() - 1};
    note_that(note_kind::truncated, fmt::format("log cut from {} to {}", log_.last().index, keep));
    log_.truncate_after(keep);
    writer_.truncate(log_.last());
    commit_ = std::min(commit_, keep);
    verified_ = std::min(verified_, keep);
    return true;
}

void machine::on_heartbeat(const sender& from, const heartbeat& m) {
    if (m.primary != from.id || !accept_primary(from, true)) {
        return;
    }
    primary_known(from.id);
    named_floor_ = m.floor;
    const bool same = verified_in_ == std::pair{epoch(), links_[from.id].session};
    primary_commit(m.commit, m.commit_epoch);
    send_reply(from.id,
               heartbeat_ack{.probe = m.probe,
                             .match = same ? std::min(verified_, writer_.durable()) : log_index{},
                             .disk_lag_ms = disk_lag_ms(),
                             .sick = damaged(),
                             .draining = terminating_,
                             .no_space = no_space(),
                             .first = log_.first()});
}

/// B.5.4 of backups: never min(commit, my last index), which may be a stale entry (NuRaft#57).
void machine::primary_commit(log_index commit, almenara::epoch commit_epoch) {
    const bool same =
        known_primary_ && verified_in_ == std::pair{epoch(), links_[*known_primary_].session};
    const log_index known = same ? verified_ : log_index{};
    const log_index upto =
        std::min(commit, holds(rule::commit_verified_match) ? known : log_.last().index);
    if (upto > commit_) {
        set_commit(upto);
    }
    // B.1: the commit index of an earlier epoch, as a fresh primary may know it, is not enough.
    const bool own_epoch = commit_epoch == epoch() || !holds(rule::damaged_until_caught_up);
    named_commit_ = same && own_epoch ? commit : log_index{};
    see_if_caught_up();
}

/// B.1: the own disk holds what the primary of this epoch has committed in it, as it said in this
/// link session.
void machine::see_if_caught_up() {
    const bool same =
        known_primary_ && verified_in_ == std::pair{epoch(), links_[*known_primary_].session};
    if (same && named_commit_ > log_index{0} &&
        std::min(verified_, writer_.durable()) >= named_commit_) {
        caught_up_ = true;
    }
    repaired_if_caught_up();
}

} // namespace almenara::replica
