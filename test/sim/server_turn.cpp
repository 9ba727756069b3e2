#include "sim/server.hpp"

#include <algorithm>
#include <utility>

/// When a process does something, and what: everything that came is stepped, then due timers, then
/// the output (D.3, B.15).
namespace almenara::sim {

namespace {

using std::chrono::milliseconds;

} // namespace

void server::on(const appointment& due) {
    switch (due.about) {
    case task::start:
        // Whoever started it meanwhile did so with another number.
        return due.which == life_ ? start() : void();
    case task::disk:
        return due.which == disk_life_ ? disk_done() : void();
    case task::seal:
        return due.which == life_ ? seal_if_quiet() : void();
    case task::state_flushed:
        return due.which == life_ ? state_flushed() : void();
    case task::rows_read:
        return process_ ? process_->clients.read_rows(due.which) : void();
    case task::rows_told:
        return process_ && process_->clients.tell_rows(due.which) ? want_turn() : void();
    default:
        if (process_ && now() >= armed_) {
            armed_ = instant::max();
            turn();
        }
    }
}

void server::arm(instant at) {
    if (at < armed_) {
        armed_ = at;
        around_.time.add(at, task::turn, self_.value());
    }
}

void server::want_turn() {
    if (!process_->due_since) {
        process_->due_since = now();
    }
    if (now() < busy_until_) {
        return arm(busy_until_);
    }
    if (process_->flushing || luck_.one_in(around_.habits.late_turn_one_in)) {
        return arm(now() + luck_.between(duration{0}, around_.habits.late_turn));
    }
    turn();
}

void server::turn() {
    if (now() < busy_until_) {
        return arm(busy_until_);
    }
    process& p = *process_;
    const instant due = std::min(p.due_since.value_or(now()), std::max(when(p.wake), p.born));
    const duration gap = std::max(now() - due, duration{0});
    const bool timer_due = moment().monotonic >= p.wake;
    p.due_since.reset();
    p.flushing = true;
    bool alive = enter_further();
    step_arrivals();
    if (timer_due || gap >= milliseconds{1}) {
        p.core.step(moment(), replica::tick{.gap = gap});
    }
    alive = alive && flush();
    if (alive && step_clients()) {
        alive = flush();
    }
    if (!alive) {
        const auto [how, why] = *ending_;
        // B.15: in both orders. What this output queued is not begun, or the disk was quicker than
        // the rest of the output.
        if (luck_.one_in(2)) {
            around_.seen.saw(sight::disk_ran_ahead);
            disk_.run_ahead();
        }
        process_ends(how, why);
        start_in(luck_.between(around_.habits.restart_least, around_.habits.restart_most));
        return;
    }
    p.flushing = false;
    work_beacon();
    work_disk();
    look_around();
}

void server::step_arrivals() {
    process& p = *process_;
    for (replica::event& what : std::exchange(p.inbox, {})) {
        p.core.step(moment(), std::move(what));
    }
}

// What clients ask waits until the core and the desk agree about the office again.
// True: the core or a client has something to hear of it.
bool server::step_clients() {
    process& p = *process_;
    const auto asked = std::exchange(p.asked, {});
    p.clients.look(moment(), here());
    for (const heard_client& what : asked) {
        if (!what.request) {
            p.clients.connection_ended(what.connection);
        } else if (p.client_lines.contains(what.connection)) {
            p.clients.request(what.connection, *what.request);
        }
    }
    const bool any = p.clients.tick() || !asked.empty();
    if (!asked.empty() && p.clients.in_office() && luck_.one_in(around_.habits.sweep_one_in)) {
        p.clients.sweep();
    }
    return any;
}

standing server::here() const {
    const replica::core_status& status = process_->status;
    standing s{.self = self_,
               .epoch = status.epoch,
               .primary = {},
               .commit = status.commit,
               .primary_heard = moment().monotonic};
    if (process_->clients.in_office()) {
        s.primary = wire::member_address{.id = self_, .addresses = {}};
    } else if (status.known_primary && status.known_primary != self_) {
        s.primary = wire::member_address{.id = *status.known_primary, .addresses = {}};
    }
    return s;
}

bool server::may_cut() {
    process& p = *process_;
    std::erase_if(p.uncommitted_cuts, [&](log_index cut) { return cut <= p.status.commit; });
    if (p.uncommitted_cuts.size() >= p.depth) {
        return false;
    }
    if (p.clients.last_proposed() > p.cut_upto) {
        p.cut_upto = p.clients.last_proposed();
        p.uncommitted_cuts.push_back(p.cut_upto);
    }
    return true;
}

bool server::flush() {
    process& p = *process_;
    const bool was_whole = !p.status.damaged;
    const bool was_prospect = p.status.role == replica::role_name::prospect;
    replica::output out = p.core.take_output(moment(), may_cut());
    p.status = p.core.status();
    if (std::exchange(p.promise_came_late, false) && was_prospect &&
        p.status.role == replica::role_name::primary) {
        around_.seen.saw(sight::late_promise);
    }
    if (was_whole && p.status.damaged) {
        around_.seen.saw(sight::damaged_while_running);
    }
    const auto is_full = [&](const replica::peer_status& peer) {
        return peer.in_flight >= around_.habits.core.limits.in_flight_entries;
    };
    if (std::any_of(p.status.peers.begin(), p.status.peers.end(), is_full)) {
        around_.seen.saw(sight::window_full);
    }
    around_.god.took(self_, out, p.status, p.core.config());
    around_.liveness.took(self_, out, p.status, now());
    p.wake = out.wake.value_or(instant::max());
    return execute(out);
}

void server::look_around() {
    process& p = *process_;
    if (!p.inbox.empty() || p.clients.is_entering()) {
        p.due_since = now();
        arm(now() + luck_.between(duration{0}, around_.habits.late_turn));
    }
    if (p.wake != instant::max()) {
        duration late{0};
        if (luck_.one_in(4)) {
            late = luck_.between(duration{0}, around_.habits.late_tick);
        }
        arm(when(p.wake) + late);
    }
    if (const auto due = p.clients.wake()) {
        arm(when(*due));
    }
    if (const auto due = p.mouth.wake()) {
        arm(when(*due));
    }
}

} // namespace almenara::sim
