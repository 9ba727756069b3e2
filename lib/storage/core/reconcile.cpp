#include "storage/core/reconcile.hpp"

#include "storage/core/rules.hpp"

#include <algorithm>
#include <utility>

namespace almenara::storage::core {

namespace {

replica::log_point last_of(const scan_result& scanned) {
    return scanned.positions.empty() ? scanned.base : scanned.positions.back();
}

replica::log_point point_at(const scan_result& scanned, log_index index) {
    return index == scanned.base.index
               ? scanned.base
               : scanned.positions[index.value() - scanned.base.index.value() - 1];
}

enum class relation { within, ahead, contradicted, unreachable };

relation relation_of(const scan_result& scanned, const replica::log_point& applied) {
    if (applied.index < scanned.base.index) {
        return relation::unreachable;
    }
    if (applied.index > last_of(scanned).index) {
        return relation::ahead;
    }
    return point_at(scanned, applied.index) == applied ? relation::within : relation::contradicted;
}

/// Entries are missing between the state and the log, or the log is not the one that the state was
/// made of. What was applied was committed, so the state is believed.
std::optional<replica::damage> damage_of(const scan_result& scanned,
                                         relation how,
                                         const replica::log_point& applied) {
    if (how == relation::within || how == relation::ahead) {
        return scanned.damage;
    }
    const log_index from = applied.index.next();
    return replica::damage{.from = scanned.damage ? std::min(from, scanned.damage->from) : from,
                           .end = std::nullopt};
}

/// The configs of the log, behind the one that the state knows if the log does not have that.
std::vector<replica::entry_ptr> configs_of(std::vector<replica::entry_ptr> of_log,
                                           const replica::entry_ptr& of_state) {
    if (of_state && (of_log.empty() || of_state->index < of_log.front()->index)) {
        of_log.insert(of_log.begin(), of_state);
    }
    return of_log;
}

} // namespace

reconciled reconcile(scan_result& scanned,
                     const meta_fields& meta,
                     const state_row& state,
                     const boot_id& boot) {
    const relation how = relation_of(scanned, state.applied);
    reconciled found;
    found.applied = state.applied.index;
    found.found_damaged = damage_of(scanned, how, state.applied);
    found.unclean_boot = meta.boot != boot && !meta.clean_stop;
    found.position = scanned.position;
    if (how == relation::within || !holds(rule::base_from_state)) {
        found.base = scanned.base;
        found.positions = std::move(scanned.positions);
        found.recent = std::move(scanned.recent);
        found.configs = configs_of(std::move(scanned.configs), state.config);
        return found;
    }
    // B.8: the state is the snapshot; log base and last are its row.
    found.log_given_up = true;
    found.base = state.applied;
    found.time_at_base = state.time;
    found.configs = configs_of({}, state.config);
    found.position.last = state.applied;
    found.position.resets = true;
    found.position.go_on = false;
    found.position.sealed = false;
    return found;
}

void reconciled::give_to(replica::start_state& start) && {
    start.base = base;
    start.time_at_base = time_at_base;
    start.positions = std::move(positions);
    start.recent = std::move(recent);
    start.configs = std::move(configs);
    start.applied = applied;
    start.found_damaged = found_damaged;
    start.unclean_boot = unclean_boot;
}

} // namespace almenara::storage::core
