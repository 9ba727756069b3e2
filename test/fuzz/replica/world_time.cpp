#include "base/check.hpp"
#include "fuzz/replica/world.hpp"

#include <utility>

// The part of the world that is about time, and about disks that are done.
namespace almenara::fuzz {

using namespace std::chrono_literals;

// -- Disks ----------------------------------------------------------------------------------------

void world::sync_log(std::size_t place) {
    server& one = servers_[place];
    if (!runs(place) || !one.disk.has_log_job()) {
        return;
    }
    if (one.next_sync_fails) {
        one.may_die = true;
        tell(place, replica::log_synced{.batch = {}, .ok = false});
        return;
    }
    tell(place, replica::log_synced{.batch = one.disk.sync_log()});
}

void world::sync_meta(std::size_t place) {
    server& one = servers_[place];
    if (!runs(place) || !one.disk.has_meta_job()) {
        return;
    }
    if (one.next_sync_fails) {
        one.may_die = true;
        tell(place, replica::meta_synced{.number = {}, .ok = false});
        return;
    }
    tell(place, replica::meta_synced{.number = one.disk.sync_meta()});
}

void world::answer(std::size_t place) {
    server& one = servers_[place];
    if (!runs(place)) {
        return;
    }
    if (one.to_apply) {
        one.state = *one.to_apply;
        one.to_apply.reset();
        tell(place, replica::applied{one.state});
    }
    if (runs(place) && !one.reads.empty()) {
        replica::log_read read = std::move(one.reads.front());
        one.reads.pop_front();
        tell(place, std::move(read));
    }
}

// -- Time -----------------------------------------------------------------------------------------

void world::wait(duration length) {
    now_.monotonic = now_.monotonic + length;
    now_.wall = wall_time{now_.wall.since_epoch() +
                          std::chrono::duration_cast<std::chrono::milliseconds>(length)};
}

void world::run(duration length) {
    constexpr duration quantum = 1ms;
    for (duration left = length; left > 0ms; left -= quantum) {
        wait(quantum);
        // Whoever answers an answer with an answer would go on for ever.
        constexpr int most_in_a_quantum = 500;
        int rounds = 0;
        while (run_network() || run_disks()) {
            ALMENARA_CHECK(++rounds < most_in_a_quantum);
        }
        run_kernel_timers();
        run_timers();
    }
}

bool world::run_disks() {
    bool worked = false;
    for (std::size_t place = 0; place < size(); ++place) {
        const server& one = servers_[place];
        const bool has_work =
            one.disk.has_log_job() || one.disk.has_meta_job() || one.to_apply || !one.reads.empty();
        if (runs(place) && has_work) {
            sync_meta(place);
            sync_log(place);
            answer(place);
            worked = true;
        }
    }
    return worked;
}

void world::run_timers() {
    for (std::size_t place = 0; place < size(); ++place) {
        const server& one = servers_[place];
        if (one.core && one.wake && *one.wake <= now_.monotonic) {
            tick(place, 0ms);
        }
    }
}

} // namespace almenara::fuzz
