#include "scripts/watch.hpp"

#include "scripts/telling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace almenara::scripts {

using namespace replica;

namespace {

/// What stands at a position of a log on a disk.
std::optional<hash64> hash_at(const std::vector<entry_ptr>& log, log_index index) {
    const auto at = static_cast<std::size_t>(index.value());
    return at == 0 || at > log.size() ? std::nullopt : std::optional{log[at - 1]->hash};
}

std::optional<hash64> hash_at(const core& of, log_index index) {
    const std::optional<log_point> point = of.position(index);
    return point ? std::optional{point->hash} : std::nullopt;
}

std::size_t voters_in(const server& s) {
    return s.core->config() == nullptr ? 0 : voters(*s.core->config());
}

/// Whether both ends believe in this link session and in this epoch.
bool is_current(const server& primary,
                const core_status& now,
                const peer_status& peer,
                const server& other) {
    if (!other.runs() || !peer.session) {
        return false;
    }
    const core_status there = other.core->status();
    const auto mine = std::find_if(there.peers.begin(), there.peers.end(),
                                   [&](const peer_status& each) { return each.id == primary.id; });
    return there.epoch == now.epoch && mine != there.peers.end() && mine->session == peer.session;
}

} // namespace

void watch::breaks(std::string what) {
    if (!broken_) {
        broken_ = std::move(what);
    }
}

const server* watch::find(server_id id) const {
    const auto found = all_.find(id);
    return found == all_.end() ? nullptr : &found->second;
}

void watch::started(const server& s) {
    memory& mine = memories_[s.id];
    mine.commit = log_index{0};
    mine.acked = log_index{0};
    if (s.storage.synced.meta.epoch < mine.durable_epoch) {
        breaks(fmt::format("I2: server {} forgot epoch {}", s.id, mine.durable_epoch));
    }
}

void watch::wiped(const server& s) {
    memories_.erase(s.id);
    std::erase_if(promises_, [&s](const auto& each) { return each.first.first == s.id; });
}

void watch::sent(const server& s, const outgoing& what) {
    const bool asks = std::holds_alternative<claim>(*what.message);
    if (!asks && what.epoch > s.storage.synced.meta.epoch) {
        breaks(fmt::format("I2: {} of server {} leaves in epoch {}, on its disk is {}",
                           name_of(*what.message), s.id, what.epoch, s.storage.synced.meta.epoch));
    }
    if (const auto* const given = std::get_if<promise>(&*what.message); given && given->granted) {
        check_promise(s, what, *given);
    } else if (const auto* const ack = std::get_if<append_ack>(&*what.message)) {
        check_match(s, ack->match);
    } else if (const auto* const beat = std::get_if<heartbeat_ack>(&*what.message)) {
        check_match(s, beat->match);
    }
}

void watch::check_promise(const server& s, const outgoing& what, const promise& p) {
    const persistent& meta = s.storage.synced.meta;
    if (meta.epoch != p.claimed || !meta.promised_to || meta.promised_to->id != what.peer) {
        breaks(fmt::format("I2: server {} promises epoch {} to {}, on its disk is {}", s.id,
                           p.claimed, what.peer, tell(meta)));
        return;
    }
    const std::pair to{what.peer, meta.promised_to->incarnation};
    const auto [before, is_first] = promises_.try_emplace({s.id, p.claimed}, to);
    if (!is_first && before->second != to) {
        breaks(fmt::format("I3: server {} promised epoch {} to {} and to {}", s.id, p.claimed,
                           before->second.first, what.peer));
    }
}

void watch::check_match(const server& s, log_index match) {
    memories_[s.id].acked = std::max(memories_[s.id].acked, match);
    if (match > log_index{0} && hash_at(s.storage.synced.log, match) != hash_at(*s.core, match)) {
        breaks(fmt::format("I11: server {} acks {}, which is not on its disk", s.id, match));
    }
}

void watch::entered_office(const server& s, const replica::entered_office& term) {
    ++terms_;
    const auto [before, is_first] = primaries_.try_emplace(term.epoch, s.id);
    if (!is_first) {
        breaks(fmt::format("I1: {} and {} are primaries of epoch {}", before->second, s.id,
                           term.epoch));
    }
    const persistent& meta = s.storage.synced.meta;
    const bool promised_itself = meta.promised_to && meta.promised_to->id == s.id;
    if (meta.epoch != term.epoch || !promised_itself) {
        breaks(fmt::format("I25: server {} takes office of epoch {}, on its disk is {}", s.id,
                           term.epoch, tell(meta)));
    }
    if (s.core->config() == nullptr || !is_voter(*s.core->config(), s.id)) {
        breaks(fmt::format("I25: server {} takes office and is no voter", s.id));
    }
    memories_[s.id].office = term.epoch;
    std::vector<hash64>& log = began_with_[term.epoch];
    log.clear();
    // Its EPOCH_START is there already: no earlier epoch commits anything at that index.
    for (log_index i{1}; i <= s.core->status().last.index; i = i.next()) {
        log.push_back(hash_at(*s.core, i).value_or(hash64{}));
    }
    if (!committed_.empty()) {
        const auto& [index, hash] = *committed_.rbegin();
        if (hash_at(*s.core, index) != hash) {
            breaks(
                fmt::format("I6: server {} takes office without committed entry {}", s.id, index));
        }
    }
}

void watch::confirmed(const server& s, const confirmation& what) {
    const std::optional<hash64> mine = hash_at(*s.core, what.last);
    std::size_t holders = 0;
    for (const auto& [id, other] : all_) {
        holders += mine && hash_at(other.storage.synced.log, what.last) == mine ? 1U : 0U;
    }
    if (holders < voters_in(s) / 2 + 1) {
        breaks(fmt::format("I18: server {} confirms {}, which is on {} disks", s.id, what.last,
                           holders));
    }
    check_sync_set(s, what);
    const epoch mine_is = office_of(s, s.core->status());
    for (log_index i = what.first; i <= what.last; i = i.next()) {
        if (const std::optional<hash64> hash = hash_at(*s.core, i)) {
            check_later_terms(s, mine_is, i, *hash);
            confirmed_.emplace(i, *hash);
        }
    }
}

/// The other half of I18: every voter that the policy counts has it, the primary's own disk too.
void watch::check_sync_set(const server& s, const confirmation& what) {
    const core_status now = s.core->status();
    const cluster_config* const config = s.core->config();
    const std::optional<hash64> mine = hash_at(*s.core, what.last);
    if (now.role != role_name::primary || config == nullptr || !mine) {
        return;
    }
    for (const member& each : config->members) {
        const auto peer = std::find_if(now.peers.begin(), now.peers.end(),
                                       [&](const peer_status& p) { return p.id == each.id; });
        const bool in_set =
            each.id == s.id ? now.in_sync : peer != now.peers.end() && peer->in_sync;
        const bool counts = config->confirm == confirm_policy::all ||
                            (config->confirm == confirm_policy::sync_set && in_set);
        const server* const other = find(each.id);
        if (!each.voter || !counts || other == nullptr) {
            continue;
        }
        // What it acked before it found the damage it had.
        const bool had = is_damaged_at(*other, what.last) && memories_[each.id].acked >= what.last;
        if (!had && hash_at(other->storage.synced.log, what.last) != mine) {
            breaks(fmt::format("I18: server {} confirms {}, and {} counts and has it not", s.id,
                               what.last, each.id));
        }
    }
}

epoch watch::office_of(const server& s, const core_status& now) const {
    const auto known = memories_.find(s.id);
    return now.role == role_name::primary || known == memories_.end() ? now.epoch
                                                                      : known->second.office;
}

/// I17: acks that were under way when their senders promised a later epoch may be counted after
/// that epoch has its primary, which then had the entry when it took office.
void watch::check_later_terms(const server& s, epoch of, log_index index, hash64 hash) {
    for (auto later = began_with_.upper_bound(of); later != began_with_.end(); ++later) {
        const auto at = static_cast<std::size_t>(index.value()) - 1;
        if (at >= later->second.size() || later->second[at] != hash) {
            breaks(fmt::format("I17: server {} commits {} in epoch {}, and {} began without it",
                               s.id, index, of, later->first));
        }
    }
}

void watch::applied(const server& s, const entry& what) {
    const auto known = committed_.find(what.index);
    if (known != committed_.end() && known->second != what.hash) {
        breaks(fmt::format("I9: server {} applies another entry {} than the others", s.id,
                           what.index));
    }
    if (hash_at(s.storage.synced.log, what.index) != what.hash) {
        breaks(
            fmt::format("I10: server {} applies {}, which is not on its disk", s.id, what.index));
    }
}

void watch::check_commit(const server& s, const core_status& now, memory& before) {
    // B.8: of a log that is damaged below it the state may be ahead.
    const bool state_ahead = now.applied > now.last.index && now.damaged;
    // Found while running, it may end below what was committed here, too.
    const bool commit_ahead = now.damaged && now.commit == before.commit;
    if (now.commit < before.commit || (now.applied > now.commit && !state_ahead) ||
        (now.commit > now.last.index && !commit_ahead)) {
        breaks(fmt::format("I8: server {} has commit {} after {}, applied {}, last {}", s.id,
                           now.commit, before.commit, now.applied, now.last.index));
        return;
    }
    for (log_index i = before.commit.next(); i <= now.commit; i = i.next()) {
        const std::optional<hash64> hash = hash_at(*s.core, i);
        if (!hash) {
            continue;
        }
        if (now.role == role_name::primary) {
            check_later_terms(s, now.epoch, i, *hash);
        }
        const auto known = committed_.try_emplace(i, *hash).first;
        if (known->second != *hash) {
            breaks(fmt::format("I7: server {} commits another entry {} than was committed before",
                               s.id, i));
            return;
        }
    }
    before.commit = now.commit;
}

/// What was committed here, and everything before it by the chain, must still be here, but for what
/// the disk remembers as damaged.
void watch::check_truncation(const server& s) {
    const log_index commit = memories_[s.id].commit;
    if (is_damaged_at(s, commit)) {
        return;
    }
    const auto known = committed_.find(commit);
    if (known != committed_.end() && hash_at(*s.core, commit) != known->second) {
        breaks(fmt::format("I7: server {} no longer has entry {}, which it knew as committed", s.id,
                           commit));
    }
}

/// B.8: it has said that it cannot read this any more, and promises nothing below the true end.
bool watch::is_damaged_at(const server& s, log_index index) {
    const std::optional<damage>& known = s.storage.synced.meta.damaged;
    return known && known->from <= index;
}

/// I20, the counting rule: what a primary credits to a backup is on that backup's disk.
void watch::check_credit(const server& s, const core_status& now) {
    if (now.role != role_name::primary) {
        return;
    }
    for (const peer_status& peer : now.peers) {
        const server* const other = find(peer.id);
        if (other == nullptr || !peer.open || peer.match == log_index{0}) {
            continue;
        }
        if (is_damaged_at(*other, peer.match) && peer.match <= memories_[peer.id].acked) {
            continue; // It acked that before it found the damage; the next answer takes it back.
        }
        if (is_current(s, now, peer, *other) &&
            hash_at(other->storage.synced.log, peer.match) != hash_at(*s.core, peer.match)) {
            breaks(fmt::format("I20: server {} credits {} to {}, whose disk has not that", s.id,
                               peer.match, peer.id));
        }
    }
}

/// I26: `damaged` is cleared only by a server that holds what was committed.
void watch::check_meta(const server& s, memory& before) {
    const persistent& meta = s.storage.synced.meta;
    before.durable_epoch = std::max(before.durable_epoch, meta.epoch);
    if (before.damaged && !meta.damaged && before.damaged->end && !committed_.empty()) {
        const log_index owed = std::min(before.damaged->end->index, committed_.rbegin()->first);
        const auto known = committed_.find(owed);
        if (known != committed_.end() && hash_at(s.storage.synced.log, owed) != known->second) {
            breaks(fmt::format("I26: server {} forgets its damage without entry {}", s.id, owed));
        }
    }
    before.damaged = meta.damaged;
}

void watch::turned(const server& s) {
    memory& mine = memories_[s.id];
    check_meta(s, mine);
    if (!s.runs()) {
        return;
    }
    const core_status now = s.core->status();
    check_commit(s, now, mine);
    check_truncation(s);
    check_credit(s, now);
}

} // namespace almenara::scripts
