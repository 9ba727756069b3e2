#include "fuzz/replica/world.hpp"

#include "base/check.hpp"
#include "fuzz/replica_input.hpp"
#include "support/replica_start.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <variant>

namespace almenara::fuzz {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_waiting_sends = 1000;

/// Whether the story of an input is to be printed: ALMENARA_FUZZ_TELL=1 replay-replica INPUT.
bool is_told() {
    static const bool told = std::getenv("ALMENARA_FUZZ_TELL") != nullptr;
    return told;
}

double seconds(const replica::moment& now) {
    return std::chrono::duration<double>(now.monotonic.since_origin()).count();
}

/// So little is enough for windows and caches to be full now and then.
replica::settings tiny_settings() {
    replica::settings tiny;
    tiny.limits.in_flight_entries = 4;
    tiny.limits.in_flight_bytes = 1024;
    tiny.limits.append_bytes = 512;
    tiny.limits.chunk_bytes = 256;
    tiny.limits.entry_cache_bytes = 1024;
    tiny.limits.reads_waiting = 4;
    return tiny;
}

} // namespace

world::world(std::size_t size, world_options chosen)
    : chosen_(chosen),
      now_{.monotonic = instant{1s}, .wall = wall_time{1'700'000'000s}},
      settings_(chosen.small ? tiny_settings() : replica::settings{}),
      config_(test::cluster_of(size)),
      oracles_(servers_, !chosen.lying) {
    config_.confirm = chosen.confirm;
    for (const replica::member& member : config_.members) {
        const auto found = chosen.empty_disks ? test::empty_start(config_, member.id)
                                              : test::first_start(config_, member.id);
        servers_.push_back({.id = member.id, .uuid = member.uuid, .disk = fuzz::disk{found}});
    }
    for (std::size_t place = 0; place < size; ++place) {
        start(place, 0);
    }
}

std::size_t world::primaries() const {
    return static_cast<std::size_t>(
        std::count_if(servers_.begin(), servers_.end(), [](const server& one) {
            return one.core && one.core->status().role == replica::role_name::primary;
        }));
}

// -- Processes ------------------------------------------------------------------------------------

void world::start(std::size_t place, std::uint8_t bits) {
    server& one = servers_[place];
    ++one.starts;
    one.incarnation = replica::incarnation{one.id.value() * std::uint64_t{1'000'000} + one.starts};
    replica::start_state found = test::empty_start(config_, one.id);
    one.disk.describe(found);
    found.uuid = one.uuid;
    found.incarnation = one.incarnation;
    found.seed = one.incarnation.value();
    found.unclean_boot = (bits & restart_bits::unclean) != 0;
    if ((bits & restart_bits::state_behind) != 0) {
        one.state = log_index{one.state.value() / 2};
    }
    found.applied = one.state;
    if ((bits & restart_bits::few_entries) != 0) {
        std::erase_if(found.recent, [&](const auto& entry) { return entry->index < one.state; });
    }
    one.core.emplace(std::move(found), settings_, now_);
    oracles_.started(place);
    turn(place);
}

void world::crash(std::size_t place, std::size_t jobs_that_arrive, std::uint8_t bits) {
    server& one = servers_[place];
    if (!one.core) {
        return;
    }
    one.core.reset();
    one.disk.crash(jobs_that_arrive, (bits & crash_bits::meta_arrives) != 0);
    one.wake.reset();
    one.dials.clear();
    one.reads.clear();
    one.to_apply.reset();
    one.next_sync_fails = false;
    one.may_die = false;
    one.crashes.reset();
    for (auto& [id, direction] : ways_) {
        if (direction.to == place) {
            direction.dead = true;
        } else if (direction.from == place) {
            const bool power = (bits & crash_bits::power) != 0;
            (power ? direction.dead : direction.ended) = true;
        }
    }
    oracles_.ended(place);
}

void world::crash_later(std::size_t place, crash_plan plan) {
    if (runs(place)) {
        servers_[place].crashes = plan;
    }
}

void world::restart(std::size_t place, std::uint8_t bits) {
    if (!runs(place)) {
        start(place, bits);
    }
}

/// Damage of more than a minority of three or four is outside of what can be survived.
bool world::somebody_lost_something() const {
    return std::any_of(servers_.begin(), servers_.end(), [](const server& one) {
        return one.was_wiped || one.disk.rotten() || one.disk.meta().damaged ||
               !one.disk.lost().empty();
    });
}

void world::rot(std::size_t place, std::uint8_t index, bool end_is_known) {
    server& one = servers_[place];
    if (runs(place) || somebody_lost_something() || one.disk.durable().empty()) {
        return;
    }
    one.disk.rot(log_index{1 + index % one.disk.durable().size()}, end_is_known);
}

void world::wipe(std::size_t place) {
    server& one = servers_[place];
    if (runs(place) || somebody_lost_something()) {
        return;
    }
    data_uuid::rep other = one.uuid.value();
    other[8] = std::byte{0xff};
    one.uuid = data_uuid{other};
    one.was_wiped = true;
    for (const replica::entry_ptr& entry : one.disk.durable()) {
        one.held_at_wipe[entry->index] = entry->hash;
    }
    one.disk = fuzz::disk{test::empty_start(config_, one.id)};
    one.state = {};
}

void world::fail_sync(std::size_t place) {
    servers_[place].next_sync_fails = runs(place);
}

void world::terminate(std::size_t place) {
    if (runs(place)) {
        servers_[place].may_die = true;
        tell(place, replica::terminate{});
    }
}

void world::die(std::size_t place, const replica::fatal& why) {
    const server& one = servers_[place];
    // Whoever believes a liar may find that its own log cannot be, and says so by ending.
    if (!chosen_.lying && (why.how == replica::ending::safety_broken || !one.may_die)) {
        broken("B.15", fmt::format("server {} ends without a reason: {}", one.id, why.text));
    }
    crash(place, 0, 0);
}

// -- Steps and turns ------------------------------------------------------------------------------

void world::step(std::size_t place, replica::event what) {
    servers_[place].core->step(now_, std::move(what));
    oracles_.stepped(place);
    // Style 11: whoever is not answered cannot make a server keep more and more.
    const replica::core_status status = servers_[place].core->status();
    ALMENARA_CHECK(status.waiting_sends <= most_waiting_sends);
    ALMENARA_CHECK(status.peers.size() <= size());
}

void world::tell(std::size_t place, replica::event what) {
    if (runs(place)) {
        step(place, std::move(what));
        turn(place);
    }
}

void world::tick(std::size_t place, duration gap) {
    tell(place, replica::tick{gap});
}

void world::propose(std::size_t place, std::size_t count, bool cut) {
    for (std::size_t i = 0; runs(place) && i < count; ++i) {
        server& one = servers_[place];
        const auto slot = one.core->next_slot(now_);
        if (!slot) {
            break;
        }
        replica::proposal update{.seq = next_value_++};
        update.payload.resize(update.seq % 100);
        step(place, std::move(update));
        const auto at = one.core->position(slot->index);
        ALMENARA_CHECK(at && one.core->status().last.index == slot->index);
    }
    if (runs(place)) {
        turn(place, cut);
    }
}

void world::read(std::size_t place) {
    tell(place, replica::read_request{replica::read_ticket{next_ticket_++}});
}

void world::turn(std::size_t place, bool cut) {
    execute(place, servers_[place].core->take_output(now_, cut));
}

bool world::survives_field(std::size_t place) {
    server& one = servers_[place];
    if (one.crashes && one.crashes->fields_left-- == 0) {
        crash(place, one.crashes->jobs_that_arrive, one.crashes->bits);
    }
    return runs(place);
}

void world::execute(std::size_t place, replica::output out) {
    oracles_.will_write(place, out);
    // Who takes office speaks as primary in this very output.
    for (const replica::office_event& change : out.office) {
        if (const auto* const entered = std::get_if<replica::entered_office>(&change)) {
            oracles_.took_office(place, entered->epoch);
        } else {
            oracles_.left_office(place);
        }
    }
    server& one = servers_[place];
    if (out.meta && survives_field(place)) {
        ALMENARA_CHECK(!one.disk.has_meta_job());
        one.disk.write(std::move(*out.meta));
    }
    for (replica::log_write& write : out.log) {
        if (survives_field(place)) {
            one.disk.write(std::move(write));
        }
    }
    for (const replica::outgoing& what : out.send) {
        if (survives_field(place)) {
            send(place, what);
        }
    }
    if (survives_field(place)) {
        execute_reads(one, out);
    }
    if (survives_field(place)) {
        execute_rest(place, out);
    }
}

void world::execute_reads(server& one, const replica::output& out) {
    for (const replica::log_request& what : out.read_log) {
        // The disk does one thing after the other, so this is the log as it is now.
        const entries log = one.disk.written();
        replica::log_read answer{.request = what.request};
        std::size_t bytes = 0;
        for (std::size_t i = what.from.value() - 1; i < log.size() && log[i]->index <= what.to;
             ++i) {
            bytes += log[i]->payload.size();
            if (!answer.entries.empty() && bytes > what.max_bytes) {
                break;
            }
            answer.entries.push_back(log[i]);
        }
        answer.hole = answer.entries.empty();
        one.reads.push_back(std::move(answer));
    }
}

void world::execute_rest(std::size_t place, replica::output& out) {
    server& one = servers_[place];
    oracles_.will_apply(place, out);
    if (!out.apply.empty()) {
        one.to_apply = out.apply.back()->index;
    }
    for (const replica::dial_request& what : out.dial) {
        one.dials.push_back(what);
    }
    for (const connection_id connection : out.close) {
        close(place, connection);
    }
    one.wake = out.wake;
    for (const replica::note& what : out.notes) {
        // What happened, for whoever looks into an input that was found.
        if (is_told()) {
            fmt::print(stderr, "{:9.3f} {}: {}\n", seconds(now_), one.id, what.text);
        }
    }
    if (out.die) {
        die(place, *out.die);
    }
}

} // namespace almenara::fuzz
