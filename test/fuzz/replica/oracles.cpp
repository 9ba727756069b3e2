#include "fuzz/replica/oracles.hpp"

#include "base/check.hpp"
#include "fuzz/replica/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <variant>

namespace almenara::fuzz {

namespace {

void hold(bool condition, std::string_view invariant, std::string_view how) {
    if (!condition) {
        broken(invariant, how);
    }
}

/// Whether an end of a damaged log may become that one: UNKNOWN is more than any.
bool is_lowered(const replica::damage& from, const replica::damage& to) {
    return to.end && (!from.end || *to.end < *from.end);
}

} // namespace

void broken(std::string_view invariant, std::string_view how) {
    fmt::print(stderr, "{}: {}\n", invariant, how);
    base::invariant_broken(invariant, __FILE__, __LINE__);
}

void oracles::started(std::size_t place) {
    const log_index state = servers_[place].state;
    processes_[place] = {.commit = {}, .applied = state};
}

void oracles::ended(std::size_t place) {
    processes_.erase(place);
}

// -- What is written ------------------------------------------------------------------------------

void oracles::will_write(std::size_t place, const replica::output& out) {
    if (out.meta) {
        check_meta(place, out.meta->fields);
        check_damage(place, out.meta->fields);
    }
    const bool leaves =
        std::any_of(out.office.begin(), out.office.end(), [](const replica::office_event& change) {
            return std::holds_alternative<replica::left_office>(change);
        });
    for (const replica::log_write& write : out.log) {
        check_log_write(place, write, leaves);
    }
}

void oracles::check_meta(std::size_t place, const replica::persistent& next) const {
    const server& one = servers_[place];
    const replica::persistent& now = one.disk.meta();
    hold(next.epoch >= now.epoch, "I2",
         fmt::format("server {} goes from epoch {} to {}", one.id, now.epoch, next.epoch));
    const bool same_promise =
        next.epoch != now.epoch || !now.promised_to || next.promised_to == now.promised_to;
    hold(same_promise, "I3", fmt::format("server {} promised epoch {} twice", one.id, next.epoch));
    hold(!now.cluster || next.cluster == now.cluster, "B.1",
         fmt::format("server {} changes its cluster", one.id));
}

void oracles::check_damage(std::size_t place, const replica::persistent& next) const {
    const server& one = servers_[place];
    const auto& now = one.disk.meta().damaged;
    if (!now) {
        return;
    }
    if (next.damaged) {
        hold(!is_lowered(*now, *next.damaged), "I26",
             fmt::format("server {} knows of less damage than before", one.id));
        return;
    }
    for (const auto& [index, hash] : one.disk.lost()) {
        const auto committed = committed_.find(index);
        const bool is_missed = committed != committed_.end() && committed->second == hash;
        hold(!is_missed, "I26",
             fmt::format("server {} forgets its damage, but entry {} is committed and not there "
                         "again",
                         one.id, index));
    }
}

void oracles::check_log_write(std::size_t place,
                              const replica::log_write& write,
                              bool leaves_office) {
    const server& one = servers_[place];
    if (write.truncates) {
        hold(!processes_.at(place).rules || leaves_office, "I4",
             fmt::format("server {} is primary and cuts its log", one.id));
        const entries log = one.disk.written();
        const std::size_t first_cut = write.previous.index.value();
        if (first_cut < log.size()) {
            const auto committed = committed_.find(log[first_cut]->index);
            const bool is_committed =
                committed != committed_.end() && committed->second == log[first_cut]->hash;
            hold(!is_committed, "I7",
                 fmt::format("server {} cuts entry {}, which is committed", one.id,
                             log[first_cut]->index));
        }
    }
    for (const replica::entry_ptr& entry : write.entries) {
        const auto [at, is_new] = written_.try_emplace({entry->index, entry->epoch}, entry->hash);
        hold(is_new || at->second == entry->hash, "I5",
             fmt::format("server {} has another entry {} of epoch {}", one.id, entry->index,
                         entry->epoch));
    }
}

// -- What is said ---------------------------------------------------------------------------------

void oracles::will_send(std::size_t place, const replica::outgoing& what) {
    const server& one = servers_[place];
    const almenara::epoch durable = one.disk.meta().epoch;
    const auto is_in_durable_epoch = [&](std::string_view name) {
        hold(what.epoch <= durable, "I2",
             fmt::format("server {} says {} in epoch {}, but {} is on its disk", one.id, name,
                         what.epoch, durable));
    };
    if (const auto* const promise = std::get_if<replica::promise>(what.message.get())) {
        check_promise(place, *promise, what.peer);
    } else if (const auto* const ack = std::get_if<replica::append_ack>(what.message.get())) {
        is_in_durable_epoch("APPEND_ACK");
        check_durable(place, ack->match, "APPEND_ACK");
    } else if (const auto* const beat = std::get_if<replica::heartbeat_ack>(what.message.get())) {
        is_in_durable_epoch("HB_ACK");
        check_durable(place, beat->match, "HB_ACK");
    } else if (std::holds_alternative<replica::append>(*what.message)) {
        is_in_durable_epoch("APPEND");
    } else if (std::holds_alternative<replica::heartbeat>(*what.message)) {
        is_in_durable_epoch("HEARTBEAT");
    } else if (std::holds_alternative<replica::coordinator>(*what.message)) {
        is_in_durable_epoch("COORDINATOR");
    }
}

void oracles::check_durable(std::size_t place, log_index match, std::string_view what) const {
    const server& one = servers_[place];
    hold(match.value() <= one.disk.durable().size(), "I11",
         fmt::format("server {} says {} of {}, but {} are on its disk", one.id, what, match,
                     one.disk.durable().size()));
}

void oracles::check_promise(std::size_t place, const replica::promise& said, server_id to) {
    if (!said.granted) {
        return;
    }
    const server& one = servers_[place];
    const replica::persistent& meta = one.disk.meta();
    const bool is_durable =
        meta.epoch == said.claimed && meta.promised_to && meta.promised_to->id == to;
    hold(is_durable, "I2",
         fmt::format("server {} promises epoch {} to {}, but that is not on its disk", one.id,
                     said.claimed, to));
    const std::pair promised{to, meta.promised_to->incarnation};
    const auto [at, is_new] = promises_.try_emplace({one.uuid, said.claimed}, promised);
    hold(is_new || at->second == promised, "I3",
         fmt::format("server {} promises epoch {} a second time", one.id, said.claimed));
    const replica::damage* const damaged = meta.damaged ? &*meta.damaged : nullptr;
    hold(damaged == nullptr || damaged->end, "B.8",
         fmt::format("server {} promises, but does not know where its log ended", one.id));
}

// -- Office ---------------------------------------------------------------------------------------

void oracles::took_office(std::size_t place, almenara::epoch epoch) {
    const server& one = servers_[place];
    processes_.at(place).rules = true;
    const std::pair who{place, one.incarnation};
    const auto [at, is_new] = offices_.try_emplace(epoch, who);
    hold(is_new, "I1",
         fmt::format("server {} takes office in epoch {}, which had server {}", one.id, epoch,
                     servers_[at->second.first].id));
    const replica::persistent& meta = one.disk.meta();
    const bool has_own_promise = meta.epoch == epoch && meta.promised_to &&
                                 meta.promised_to->id == one.id &&
                                 meta.promised_to->incarnation == one.incarnation;
    hold(has_own_promise, "I25",
         fmt::format("server {} rules epoch {} without a durable promise of its own", one.id,
                     epoch));
    const replica::cluster_config* const config = one.core->config();
    hold(config != nullptr && replica::is_voter(*config, one.id), "I25",
         fmt::format("server {} rules without being a voter", one.id));
    hold(!meta.damaged && !one.disk.rotten(), "I25",
         fmt::format("server {} rules with a damaged log", one.id));
    if (!committed_.empty()) {
        const auto& [index, hash] = *committed_.rbegin();
        const auto own = one.core->position(index);
        hold(own && own->hash == hash, "I6",
             fmt::format("server {} takes office in epoch {} without the committed entry {}",
                         one.id, epoch, index));
    }
}

void oracles::left_office(std::size_t place) {
    processes_.at(place).rules = false;
}

// -- What is committed ----------------------------------------------------------------------------

std::size_t oracles::copies(log_index index, replica::hash64 hash) const {
    return static_cast<std::size_t>(
        std::count_if(servers_.begin(), servers_.end(), [&](const server& one) {
            return !one.was_wiped && one.disk.kept(index, hash);
        }));
}

void oracles::check_majority(log_index index, replica::hash64 hash, std::string_view what) const {
    // A disk that was wiped counts for those who relied on it before.
    const auto wiped = static_cast<std::size_t>(std::count_if(
        servers_.begin(), servers_.end(), [](const server& one) { return one.was_wiped; }));
    hold(
        copies(index, hash) + wiped > servers_.size() / 2, "I11",
        fmt::format("entry {} is {}, but only {} disks have it", index, what, copies(index, hash)));
}

void oracles::remember(log_index index, replica::hash64 hash) {
    const auto [at, is_new] = committed_.try_emplace(index, hash);
    hold(is_new || at->second == hash, "I9",
         fmt::format("two different entries {} are committed", index));
}

void oracles::check_committed(std::size_t place, log_index commit) {
    process& seen = processes_.at(place);
    const server& one = servers_[place];
    hold(commit >= seen.commit, "I8",
         fmt::format("the commit index of server {} goes from {} to {}", one.id, seen.commit,
                     commit));
    for (log_index i = seen.commit.next(); i <= commit; i = i.next()) {
        if (const auto own = one.core->position(i)) {
            remember(i, own->hash);
        }
    }
    if (commit > seen.commit && seen.rules) {
        if (const auto own = one.core->position(commit)) {
            check_majority(commit, own->hash, "committed");
        }
    }
    seen.commit = commit;
}

void oracles::stepped(std::size_t place) {
    const server& one = servers_[place];
    const replica::core_status status = one.core->status();
    check_committed(place, status.commit);
    // B.8: the state may be ahead of a log that is being repaired.
    hold(
        status.damaged || status.applied <= status.commit, "I8",
        fmt::format("server {} applied {} of {} committed", one.id, status.applied, status.commit));
    hold(status.damaged || status.commit <= status.last.index, "I8",
         fmt::format("server {} committed {} of {} entries", one.id, status.commit,
                     status.last.index));
}

void oracles::will_apply(std::size_t place, const replica::output& out) {
    process& seen = processes_.at(place);
    const server& one = servers_[place];
    const entries& durable = one.disk.durable();
    for (const replica::entry_ptr& entry : out.apply) {
        hold(entry->index == seen.applied.next(), "I10",
             fmt::format("server {} applies {} after {}", one.id, entry->index, seen.applied));
        seen.applied = entry->index;
        const auto committed = committed_.find(entry->index);
        hold(committed != committed_.end() && committed->second == entry->hash, "I10",
             fmt::format("server {} applies {}, which is not committed", one.id, entry->index));
        const bool is_durable = entry->index.value() <= durable.size() &&
                                durable[entry->index.value() - 1]->hash == entry->hash;
        hold(is_durable, "I10",
             fmt::format("server {} applies {}, which is not on its disk", one.id, entry->index));
    }
    for (const replica::confirmation& what : out.confirmed) {
        const auto committed = committed_.find(what.last);
        hold(committed != committed_.end(), "I10",
             fmt::format("server {} confirms {}, which is not committed", one.id, what.last));
        check_majority(what.last, committed->second, "confirmed");
    }
}

} // namespace almenara::fuzz
