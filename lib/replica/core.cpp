#include "replica/core.hpp"

#include "replica/machine.hpp"

#include <utility>

/// The door of the room: what a driver may ask beside events and outputs, and the class behind
/// which the machine stands.
namespace almenara::replica {

std::optional<slot> machine::next_slot(moment now) const {
    const auto* office = std::get_if<primary>(&role_);
    if (office == nullptr || office->leaving || out_.die) {
        return std::nullopt;
    }
    return slot{.index = log_.last().index.next(), .time = office->log_time.next(now)};
}

std::vector<entry_ptr> machine::entries_from(log_index first, const entry_bounds& most) const {
    std::vector<entry_ptr> entries;
    std::size_t bytes = 0;
    for (log_index i = first; i <= log_.last().index && bytes < most.bytes; i = i.next()) {
        if (entries.size() >= most.entries) {
            break;
        }
        if (entry_ptr e = log_.find(i)) {
            bytes += weight(*e);
            entries.push_back(std::move(e));
        }
    }
    return entries;
}

log_index machine::confirmed_upto() const {
    const auto* office = std::get_if<primary>(&role_);
    return office == nullptr ? log_index{} : office->confirmed;
}

core_status machine::status() const {
    core_status s;
    s.role = role_of();
    s.epoch = epoch();
    s.durable = ballot_.durable();
    s.known_primary = is_primary() ? std::optional{self_} : known_primary_;
    s.last = log_.last();
    s.commit = commit_;
    s.config_index = log_.config_index();
    s.durable_upto = writer_.durable();
    s.confirmed_upto = confirmed_upto();
    s.applied = handed_out_;
    s.first = log_.first();
    s.floor = floor();
    s.damaged = ballot_.word().damaged;
    s.eligible = eligible();
    s.reach = reach();
    s.draining = terminating_;
    const auto* office = std::get_if<primary>(&role_);
    s.no_space = no_space();
    s.may_grow = may_grow();
    s.in_sync = office != nullptr && office->sync.contains(self_);
    s.handing_over = office != nullptr && office->leaving.has_value();
    for (const auto& [id, l] : links_) {
        peer_status p{
            .id = id, .open = l.open(), .control = {}, .session = {}, .match = {}, .next = {}};
        if (l.open()) {
            p.control = l.control;
            p.session = l.session;
        }
        if (l.said.server == id) { // It was here once.
            p.last_heard = l.last_heard;
            p.priority = l.said.rank.priority;
        }
        if (office != nullptr) {
            const auto found = office->voters.find(id);
            if (found != office->voters.end()) {
                p.match = found->second.match;
                p.next = found->second.next;
                p.in_flight = found->second.entries_in_flight;
                p.over_bulk = found->second.over_bulk;
                p.out_of_reach = found->second.out_of_reach;
                p.sick = found->second.sick;
                p.draining = found->second.draining;
                p.no_space = found->second.no_space.value_or(false);
                p.can_succeed = can_succeed(id, found->second);
            }
            p.in_sync = office->sync.contains(id);
        }
        s.peers.push_back(p);
    }
    s.waiting_sends = outbox_.waiting();
    s.log_memory = log_.bytes_in_memory();
    return s;
}

core::core(start_state start, settings chosen, moment now)
    : machine_(std::make_unique<machine>(std::move(start), chosen, now)) {}
core::~core() = default;
core::core(core&&) noexcept = default;
core& core::operator=(core&&) noexcept = default;

void core::step(moment now, event what) {
    machine_->step(now, std::move(what));
}
output core::take_output(moment now, bool cut) {
    return machine_->take_output(now, cut);
}
std::optional<slot> core::next_slot(moment now) const {
    return machine_->next_slot(now);
}
std::vector<entry_ptr> core::entries_from(log_index first, const entry_bounds& most) const {
    return machine_->entries_from(first, most);
}
log_index core::confirmed_upto() const {
    return machine_->confirmed_upto();
}
core_status core::status() const {
    return machine_->status();
}
log_index core::commit() const {
    return machine_->commit();
}
const cluster_config* core::config() const {
    return machine_->config();
}
std::optional<log_point> core::position(log_index index) const {
    return machine_->position(index);
}

} // namespace almenara::replica
