#include "sim/nemesis.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace almenara::sim {

namespace {

using namespace std::chrono_literals;

} // namespace

nemesis::nemesis(
    const profile& pace, servers& victims, std::vector<node> clients, scene& around, dice luck)
    : pace_(pace), victims_(victims), clients_(std::move(clients)), around_(around), luck_(luck) {
    around_.late_chunk = [this](server_id from, server_id to) { hold_chunk(from, to); };
}

void nemesis::begin() {
    for (std::size_t i = 0; i < faults; ++i) {
        plan(static_cast<fault>(i));
    }
}

void nemesis::plan(fault what) {
    const duration every = pace_[what];
    if (every.count() > 0) {
        around_.time.add(around_.time.now() + luck_.between(duration{0}, 2 * every), task::fault, 0,
                         static_cast<std::uint64_t>(what));
    }
}

void nemesis::stop(duration within) {
    stopped_ = true;
    for (auto& [number, mend] : std::exchange(mends_, {})) {
        mend();
    }
    for (const auto& who : victims_) {
        who->set_disk_habits(around_.habits.disk);
        who->recover();
        if (who->disk().hurt()) {
            // Found now, by a scan, and not by a reader in the middle of the quiet.
            who->die(death::exit);
        }
        if (!who->runs() && !who->lost()) {
            who->start_in(luck_.between(duration{0}, within));
        }
    }
}

void nemesis::on(const appointment& due) {
    if (due.about == task::fault_over) {
        return mend_now(due.which);
    }
    if (stopped_) {
        return;
    }
    const auto what = static_cast<fault>(due.which);
    strike(what);
    plan(what);
}

void nemesis::strike(fault what) {
    around_.tale.tell(around_.time.now(), "bad", "{}", wire::enumerator_name(what));
    switch (what) {
    case fault::kill:
    case fault::kill_inside:
    case fault::power:
    case fault::power_inside:
    case fault::power_all:
    case fault::kill_all:
    case fault::pause:
    case fault::lag:
    case fault::terminate:
    case fault::transfer:
    case fault::wall_jump:
        return strike_process(what);
    case fault::rot:
    case fault::misdirect:
    case fault::slow_disk:
    case fault::sync_error:
    case fault::lose_disk:
        return strike_disk(what);
    default:
        return strike_network(what);
    }
}

// -- Processes ------------------------------------------------------------------------------------

server& nemesis::any() {
    return *victims_[static_cast<std::size_t>(luck_.below(victims_.size()))];
}

server* nemesis::victim() {
    server& chosen = any();
    const auto running = static_cast<std::size_t>(std::count_if(
        victims_.begin(), victims_.end(), [](const auto& one) { return one->runs(); }));
    const bool majority_stays = running > victims_.size() / 2 + 1;
    return chosen.runs() && (majority_stays || luck_.one_in(6)) ? &chosen : nullptr;
}

void nemesis::start_later(server& who) {
    // Faster than any timer is as interesting as slower than all of them.
    const duration most = luck_.one_in(3) ? duration{50ms} : around_.habits.restart_most;
    who.start_in(luck_.between(std::min(around_.habits.restart_least, most), most));
}

void nemesis::kill_all(death how) {
    for (const auto& who : victims_) {
        if (how == death::power ? who->powered() : who->runs()) {
            who->die(how);
            if (!who->lost()) {
                start_later(*who);
            }
        }
    }
}

void nemesis::strike_process(fault what) {
    if (what == fault::power_all || what == fault::kill_all) {
        if (what == fault::power_all) {
            around_.seen.saw(sight::power_loss_of_all);
        }
        return kill_all(what == fault::power_all ? death::power : death::exit);
    }
    if (what == fault::wall_jump) {
        around_.seen.saw(sight::clock_jump);
        return any().jump_wall_clock(luck_.one_in(2) ? 1h : -1h);
    }
    if (what == fault::lag) {
        // Longer than a gap that is noticed, and shorter than what everybody else notices.
        around_.seen.saw(sight::lag);
        return any().pause(luck_.between(10ms, 350ms));
    }
    server* const who = victim();
    if (who == nullptr) {
        return;
    }
    switch (what) {
    case fault::kill:
    case fault::power:
        who->die(what == fault::power ? death::power : death::exit);
        return start_later(*who);
    case fault::kill_inside:
    case fault::power_inside:
        return who->die_inside_output(what == fault::power_inside ? death::power : death::exit);
    case fault::pause:
        around_.seen.saw(sight::pause);
        return who->pause(luck_.draw({.usual = 400ms, .most = 5s}));
    case fault::terminate:
        return who->terminate();
    default:
        return who->transfer(luck_.one_in(2) ? std::optional{any().id()} : std::nullopt);
    }
}

// -- Disks ----------------------------------------------------------------------------------------

std::size_t nemesis::impaired() const {
    return static_cast<std::size_t>(
        std::count_if(victims_.begin(), victims_.end(),
                      [](const auto& who) { return who->impaired() || who->lost(); }));
}

/// What somebody who is behind will soon ask for, an old entry, or a recent one.
log_index nemesis::where_to_rot(const server& who) {
    const std::uint64_t last = who.disk().last().value();
    std::uint64_t behind = last;
    for (const auto& other : victims_) {
        behind = std::min(behind, other->disk().last().value());
    }
    std::uint64_t depth = luck_.one_in(3) ? last : std::min<std::uint64_t>(last, 64);
    if (last - behind > 1 && luck_.one_in(2)) {
        depth = last - behind;
    }
    return log_index{last - luck_.below(depth)};
}

void nemesis::rot() {
    // A primary is asked for old entries, so it may miss them while it runs.
    const server* const old = primary();
    server& who = old != nullptr && luck_.one_in(3) ? *victims_[old->id().value() - 1U] : any();
    if (who.disk().last() < log_index{2} || !may_be_hurt(who)) {
        return;
    }
    const log_index at = where_to_rot(who);
    const rot_place what = luck_.one_in(4)   ? rot_place::header
                           : luck_.one_in(6) ? rot_place::slot
                                             : rot_place::batch;
    if (!who.rot(what, at)) {
        return;
    }
    around_.tale.tell(around_.time.now(), who.id(), "a {} of its log rots, at entry {}",
                      what == rot_place::slot     ? "slot of the meta"
                      : what == rot_place::header ? "header"
                                                  : "batch",
                      at);
    // It is found by who reads it, mostly the next start. With a slot that cannot be read a change
    // of the other one must not tear.
    const bool is_slot = what == rot_place::slot;
    if (who.runs() && (is_slot || (&who != old && luck_.one_in(2)))) {
        who.die(is_slot && luck_.one_in(2) ? death::power : death::exit);
        start_later(who);
    }
}

void nemesis::misdirect() {
    server& who = any();
    if (who.runs() && who.disk().last() > log_index{1} && may_be_hurt(who)) {
        who.misdirect_next_write();
    }
}

bool nemesis::may_be_hurt(const server& who) const {
    if (impaired() >= minority() || who.lost()) {
        return false;
    }
    const check::committed_entry* const begins = around_.god.committed().at(who.flushed());
    return std::all_of(victims_.begin(), victims_.end(), [&](const auto& other) {
        if (other.get() == &who || other->lost()) {
            return true;
        }
        const check::server_record* const its = around_.god.find(other->id());
        const log_index base = other->impaired() ? other->flushed() : log_index{};
        return its != nullptr && who.flushed() >= std::max(its->durable.base(), base) &&
               (begins == nullptr || its->durable.holds(begins->entry.point));
    });
}

void nemesis::lose_disk() {
    const bool founded = std::all_of(victims_.begin(), victims_.end(), [](const auto& who) {
        return who->disk().last() > log_index{1};
    });
    if (impaired() < minority() && founded) {
        around_.seen.saw(sight::wiped_disk);
        server& who = any();
        who.lose_disk();
        who.start_in(luck_.between(0s, 2s));
    }
}

void nemesis::strike_disk(fault what) {
    server& who = any();
    server* const mortal = victim();
    switch (what) {
    case fault::rot:
        return rot();
    case fault::misdirect:
        return misdirect();
    case fault::lose_disk:
        return lose_disk();
    case fault::sync_error:
        return mortal != nullptr ? mortal->fail_next_sync() : void();
    default:
        who.set_disk_habits(
            {.log_sync = {.usual = 300ms, .most = 3s}, .meta_sync = {.usual = 300ms, .most = 3s}});
        mend_later(luck_.between(500ms, 5s),
                   [this, &who] { who.set_disk_habits(around_.habits.disk); });
    }
}

} // namespace almenara::sim
