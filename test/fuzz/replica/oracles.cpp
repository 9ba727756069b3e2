#include "fuzz/replica/oracles.hpp"

#include "fuzz/replica/world.hpp"

#include <fmt/format.h>

#include <algorithm>
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

violation::violation(std::string_view invariant, std::string_view how)
    : std::runtime_error(fmt::format("{}: {}", invariant, how)), invariant_(invariant) {}

void broken(std::string_view invariant, std::string_view how) {
    throw violation{invariant, how};
}

void oracles::started(std::size_t place) {
    const log_index state = servers_[place].state;
    processes_[place] = {.applied = state};
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
    processes_.at(place).commit_at_last_output = processes_.at(place).commit;
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
    // Whoever was told by a liar that it has everything may believe it.
    for (const auto& [index, hash] : one.disk.lost()) {
        hold(!everybody_honest_ || !is_committed(index, hash), "I26",
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
        check_cut(place, write.previous.index);
    }
    if (!everybody_honest_) {
        return;
    }
    for (const replica::entry_ptr& entry : write.entries) {
        const auto [at, is_new] = written_.try_emplace({entry->index, entry->epoch}, entry->hash);
        hold(is_new || at->second == entry->hash, "I5",
             fmt::format("server {} has another entry {} of epoch {}", one.id, entry->index,
                         entry->epoch));
    }
}

void oracles::check_cut(std::size_t place, log_index keep) const {
    const server& one = servers_[place];
    const log_index known = processes_.at(place).commit_at_last_output;
    // B.8: a server that knows of damage gives up what it cannot read.
    hold(keep >= known || one.core->status().damaged, "I7",
         fmt::format("server {} cuts its log behind {}, but knew that {} is committed", one.id,
                     keep, known));
    const entries log = one.disk.written();
    if (everybody_honest_ && keep.value() < log.size()) {
        const replica::entry& first = *log[keep.value()];
        hold(!is_committed(first.index, first.hash), "I7",
             fmt::format("server {} cuts entry {}, which is committed", one.id, first.index));
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

/// By hash: as many entries may be an old suffix that a queued write is about to replace.
void oracles::check_durable(std::size_t place, log_index match, std::string_view what) const {
    if (match == log_index{}) {
        return;
    }
    const server& one = servers_[place];
    const auto meant = one.core->position(match);
    hold(meant && one.disk.holds(match, meant->hash), "I11",
         fmt::format("server {} says {} of {}, which is not on its disk", one.id, what, match));
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
    hold(!meta.damaged, "I25", fmt::format("server {} rules with a damaged log", one.id));
    if (everybody_honest_) {
        check_office(place, epoch);
    }
}

void oracles::check_office(std::size_t place, almenara::epoch epoch) {
    const server& one = servers_[place];
    const std::pair who{place, one.incarnation};
    const auto [at, is_new] = offices_.try_emplace(epoch, who);
    hold(is_new, "I1",
         fmt::format("server {} takes office in epoch {}, which had server {}", one.id, epoch,
                     servers_[at->second.first].id));
    hold(!one.disk.rotten(), "I25", fmt::format("server {} rules with a damaged log", one.id));
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

} // namespace almenara::fuzz
