#include "sim/world.hpp"

#include "base/hash.hpp"
#include "sim/beacon.hpp"
#include "sim/check/linearizability.hpp"
#include "sim/final_state.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace almenara::sim {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t order_search_steps = 20'000;

/// After the last fault, whoever does not run.
constexpr duration start_within = 200ms;

template <class T, std::size_t N>
T one_of(dice& luck, const std::array<T, N>& choices) {
    return choices[static_cast<std::size_t>(luck.below(N))];
}

/// Every other cluster is configured as nobody would: what is rare with large limits is what it
/// does all day.
void choose_settings(habits& into, const run_plan& plan) {
    // Luck of its own: the run itself is the same with any settings, as far as it can be.
    dice luck{plan.seed ^ 0x5e771495U};
    if (luck.one_in(2)) {
        return;
    }
    constexpr std::size_t kib = 1024;
    replica::limits& limits = into.core.limits;
    limits.entry_cache_bytes = one_of<std::size_t>(
        luck, std::array{4 * kib, 4 * kib, 16 * kib, 64 * kib, 1024 * kib, 65536 * kib});
    limits.in_flight_entries =
        one_of<std::size_t>(luck, std::array<std::size_t, 4>{2, 8, 64, 4096});
    limits.in_flight_bytes = one_of<std::size_t>(luck, std::array{2 * kib, 64 * kib, 8192 * kib});
    limits.append_bytes = one_of<std::size_t>(luck, std::array{kib, 16 * kib, 512 * kib});
    limits.chunk_bytes = one_of<std::size_t>(luck, std::array{kib, 16 * kib, 256 * kib});
    into.highest_priority = one_of<std::uint16_t>(luck, std::array<std::uint16_t, 2>{0, 3});
    const bool may_wait_for_all =
        plan.profile.every[static_cast<std::size_t>(fault::lose_disk)] == duration{0};
    if (luck.one_in(3)) {
        into.confirm = replica::confirm_policy::majority;
    } else if (luck.one_in(3) && may_wait_for_all) {
        into.confirm = replica::confirm_policy::all;
    }
}

/// How bad the lines of this run are, and how short-lived its sessions: luck of its own too.
void choose_world(habits& into, const run_plan& plan) {
    dice luck{plan.seed ^ 0x10551055U};
    // In every other run nothing is lost; few runs have the worst lines of their profile.
    if (into.most_lost_per_mille != 0 && luck.one_in(2)) {
        const std::uint64_t most = 1 + luck.below(into.most_lost_per_mille);
        into.net.lost_per_mille = 1 + luck.below(most);
    }
    if (luck.one_in(3)) {
        // Fewer than there are clients: whoever comes late to a new primary may find nothing.
        into.state.idle = luck.between(500ms, 10s);
        into.state.touch = into.state.idle / 3;
        into.state.sessions = luck.below(plan.clients + 1);
        into.state.sweep_rows = 1 + static_cast<std::size_t>(luck.below(4));
    }
}

/// How little is looked at in one turn, of logs that are short here: luck of its own too.
void choose_shares(habits& into, const run_plan& plan) {
    dice luck{plan.seed ^ 0x5a4e5a4eU};
    if (luck.one_in(4)) {
        const auto entries = 1 + static_cast<std::size_t>(luck.below(4));
        into.looked_at_once.entries = entries;
        into.core.limits.handed_out.entries = entries;
        into.core.limits.handed_out_own = 4 * entries;
    }
}

/// How large the segments are and how long they stay: luck of its own again.
void choose_log(habits& into, const run_plan& plan) {
    dice luck{plan.seed ^ 0x0d15c0d1U};
    constexpr std::uint64_t block = storage::core::block_size;
    storage::core::log_settings& log = into.log.log;
    log.segment_size =
        one_of<std::uint64_t>(luck, std::array<std::uint64_t, 4>{8, 16, 32, 64}) * block;
    log.batch_bytes = one_of<std::uint64_t>(luck, std::array<std::uint64_t, 3>{1, 2, 4}) * block;
    log.spares = 1 + static_cast<std::size_t>(luck.below(2));
    const auto goes_wrong = [&plan](fault what) {
        return plan.profile.every[static_cast<std::size_t>(what)] != duration{0};
    };
    into.logs_are_hurt = goes_wrong(fault::rot) || goes_wrong(fault::misdirect);
    into.log.kept.entries =
        one_of<std::uint64_t>(luck, std::array<std::uint64_t, 4>{0, 16, 256, 4096});
}

/// How datagrams fare, from well to not at all: luck of its own.
void choose_datagrams(habits& into, const run_plan& plan) {
    dice luck{plan.seed ^ 0x0da7a60aU};
    into.net.datagrams.lost_percent =
        one_of<std::uint64_t>(luck, std::array<std::uint64_t, 6>{0, 0, 5, 30, 80, 100});
    into.net.datagrams.twice_percent =
        one_of<std::uint64_t>(luck, std::array<std::uint64_t, 3>{0, 5, 50});
    into.net.datagrams.delay.most = one_of<duration>(luck, std::array<duration, 3>{5ms, 50ms, 2s});
}

/// One way to a new primary in most cases; else any of them.
almenara::client::ways some_ways(dice& luck) {
    almenara::client::ways chosen{one_of(luck, almenara::client::all_sources)};
    for (const auto each : almenara::client::all_sources) {
        if (luck.one_in(12)) {
            chosen.set(each);
        }
    }
    return chosen;
}

habits habits_of(const run_plan& plan) {
    habits chosen = plan.profile.habits;
    choose_settings(chosen, plan);
    choose_world(chosen, plan);
    choose_log(chosen, plan);
    choose_shares(chosen, plan);
    choose_datagrams(chosen, plan);
    return chosen;
}

std::vector<node> client_nodes(std::size_t count) {
    std::vector<node> nodes;
    for (std::size_t i = 0; i < count; ++i) {
        nodes.emplace_back(first_client.value() + static_cast<std::uint32_t>(i));
    }
    return nodes;
}

} // namespace

world::world(const run_plan& plan)
    : plan_(plan),
      habits_(habits_of(plan)),
      luck_(plan.seed),
      tale_(plan.trace),
      god_(found_),
      ledger_(found_),
      liveness_(found_),
      net_(time_, luck_.fork(), *this, habits_.net),
      scene_{.time = time_,
             .net = net_,
             .habits = habits_,
             .found = found_,
             .god = god_,
             .ledger = ledger_,
             .liveness = liveness_,
             .tale = tale_,
             .seen = seen_,
             .promises = promises_},
      nemesis_(plan_.profile, servers_, client_nodes(plan_.clients), scene_, luck_.fork()),
      ways_luck_(plan.seed ^ 0x3a753a75U),
      forger_(ways_luck_.fork()) {
    populate();
}

void world::populate() {
    std::vector<server_id> ids;
    for (std::size_t i = 1; i <= plan_.servers; ++i) {
        ids.emplace_back(static_cast<std::uint16_t>(i));
    }
    for (const server_id id : ids) {
        servers_.push_back(std::make_unique<server>(id, ids, scene_, luck_.fork()));
        servers_.back()->start_in(luck_.between(0s, 1s));
    }
    steals_key_ = ways_luck_.one_in(4);
    const bool lone_ways = ways_luck_.one_in(habits_.lone_ways_one_in);
    for (std::size_t i = 0; i < plan_.clients; ++i) {
        const check::client_habits habits{
            .number = client_number{static_cast<std::uint32_t>(i + 1)},
            .seed = luck_.number(),
            .servers = ids,
            .per_second = plan_.operations_per_second,
            .sessions_expire_soon = habits_.state.idle < std::chrono::hours{1},
            .follow = lone_ways ? some_ways(ways_luck_) : almenara::client::all_ways,
            .cluster = the_cluster,
            .dies_every = plan_.profile.clients_die};
        customers_.push_back(
            {.model = std::make_unique<check::kv_client>(habits, history_, found_, time_.now())});
        serve(i);
    }
    // Every other run is founded under faults, the others in peace.
    if (luck_.one_in(2)) {
        time_.add(instant{2s}, task::check, 0);
    } else {
        nemesis_.begin();
    }
}

run_report world::run() {
    run_until(instant{plan_.length});
    if (found_.clean()) {
        count_offices();
    }
    if (found_.clean()) {
        settle();
    }
    count_follows();
    return report();
}

/// Where nothing but slow disks could end an office, it is not passed around (B.10).
void world::count_offices() {
    constexpr std::uint64_t first_few = 3;
    if (!plan_.profile.office_lasts) {
        return;
    }
    const auto most =
        first_few + static_cast<std::uint64_t>(plan_.length / *plan_.profile.office_lasts);
    const std::uint64_t offices = seen_.count(sight::office);
    if (offices > most) {
        found_.report("B.10", "{} offices in {} s, at most {} were expected", offices,
                      std::chrono::duration_cast<std::chrono::seconds>(plan_.length).count(), most);
    }
}

void world::run_until(instant end) {
    while (found_.clean()) {
        const auto due = time_.next(end);
        if (!due) {
            return;
        }
        found_.now(due->at);
        dispatch(*due);
    }
}

void world::dispatch(const appointment& due) {
    switch (due.about) {
    case task::parcel:
    case task::handshake:
    case task::dial_over:
    case task::datagram:
    case task::unacked:
        return net_.on(due);
    case task::fault:
    case task::fault_over:
        return nemesis_.on(due);
    case task::client: {
        customer& who = customers_[due.who];
        if (due.at >= who.armed) {
            who.armed = instant::max();
            who.model->tick(due.at);
            serve(due.who);
        }
        return;
    }
    case task::check:
        return nemesis_.begin();
    default:
        return at(node{due.who}).on(due);
    }
}

// -- After the faults -----------------------------------------------------------------------------

/// Whoever has a disk is started, and what a disk was at is done: both take a moment after the last
/// fault. I21 begins there.
void world::wait_until_quiet() {
    const instant stopped = time_.now();
    const instant latest = stopped + 1s;
    const auto busy = [&](const auto& who) {
        const auto since = who->disk().busy_since();
        return (!who->runs() && !who->lost()) || (since && *since < stopped);
    };
    do {
        run_until(time_.now() + 20ms);
    } while (found_.clean() && time_.now() < latest &&
             std::any_of(servers_.begin(), servers_.end(), busy));
}

void world::watch(instant end) {
    while (found_.clean() && time_.now() < end) {
        run_until(time_.now() + 50ms);
        liveness_.clock(time_.now());
    }
}

bool world::everything_is_well() const {
    const bool clients_done = std::all_of(customers_.begin(), customers_.end(),
                                          [](const auto& c) { return c.model->idle(); });
    const auto up_to_date = [&](const auto& who) {
        return who->lost() || (who->state() != nullptr &&
                               who->state()->applied().index == god_.committed().last());
    };
    return clients_done && std::all_of(servers_.begin(), servers_.end(), up_to_date);
}

void world::settle() {
    tale_.tell(time_.now(), "end", "no more faults");
    // Delays as long as timers are faults too: I24 is about a network that does its work.
    const habits usual;
    habits_.net = usual.net;
    habits_.disk = usual.disk;
    habits_.late_turn_one_in = usual.late_turn_one_in;
    habits_.late_turn = usual.late_turn;
    habits_.restart_least = 0s;
    habits_.restart_most = start_within;
    net_.set_habits(habits_.net);
    nemesis_.stop(start_within);
    wait_until_quiet();
    std::set<server_id> connected;
    for (const auto& who : servers_) {
        if (!who->lost()) {
            connected.insert(who->id());
        }
    }
    liveness_.faults_stopped(time_.now(), std::move(connected));
    tale_.tell(time_.now(), "end", "from here on everything must go well");
    // Under load, until it is as it should be, and then a while longer: it has to stay so.
    const instant since = time_.now();
    while (found_.clean() && !liveness_.satisfied() && time_.now() < since + 10s) {
        watch(time_.now() + 200ms);
    }
    watch(time_.now() + 3s);
    for (const auto& who : customers_) {
        who.model->finish(time_.now());
    }
    const instant latest = time_.now() + 40s;
    while (found_.clean() && time_.now() < latest && !everything_is_well()) {
        watch(time_.now() + 200ms);
    }
    std::size_t held = 0;
    for (const auto& who : customers_) {
        held += who.model->overdue(time_.now());
    }
    std::set<server_id> running;
    for (const auto& who : servers_) {
        if (who->runs()) {
            running.insert(who->id());
        }
    }
    liveness_.over(time_.now(), held, running);
    if (found_.clean()) {
        compare_states();
    }
}

void world::compare_states() {
    found_.now(time_.now());
    const check::key_values expected = ledger_.settle(god_.committed(), history_);
    for (const auto& who : servers_) {
        if (who->state() != nullptr && !who->lost()) {
            if (who->state()->applied().index != god_.committed().last()) {
                found_.report("I12", "server {} has applied {} of {} committed entries at the end",
                              who->id(), who->state()->applied().index, god_.committed().last());
            }
            ledger_.check_state(who->id(), expected, key_values_of(*who->state()));
            // I9: of everything, what clients never see included.
            if (god_.state_digest(who->id(), who->state()->applied().index,
                                  who->state()->digest())) {
                seen_.saw(sight::state_compared);
            }
        }
    }
    check::check_order(found_, god_.committed(), history_);
    seen_.saw(sight::bad_refused, history_.count(check::outcome::refused));
    const check::orders_found orders =
        check::search_orders(found_, god_.committed(), history_, order_search_steps);
    seen_.saw(sight::order_found, orders.found);
    seen_.saw(sight::order_unknown, orders.unknown);
}

run_report world::report() const {
    return {.violation = found_.first(),
            .seen = seen_,
            .simulated = time_.now().since_origin(),
            .events = time_.count(),
            .committed = god_.committed().last().value(),
            .confirmed = history_.count(check::outcome::done) +
                         history_.count(check::outcome::conflict) +
                         history_.count(check::outcome::not_found),
            .uncertain = history_.count(check::outcome::uncertain),
            .digest = digest()};
}

std::uint64_t world::digest() const {
    const check::committed_entry* last = god_.committed().at(god_.committed().last());
    const std::array<std::uint64_t, 4> parts{
        last == nullptr ? 0 : last->entry.point.hash.value(), time_.count(),
        static_cast<std::uint64_t>(time_.now().since_origin().count()),
        history_.operations().size()};
    return base::xxh3_64(std::as_bytes(std::span{parts}));
}

// -- Clients --------------------------------------------------------------------------------------

void world::serve(std::size_t number) {
    customer& who = customers_[number];
    const node self{first_client.value() + static_cast<std::uint32_t>(number)};
    client_output out = who.model->take_output(time_.now());
    for (client_send& said : out.send) {
        net_.send(said.connection, self, std::move(said.request));
    }
    for (const connection_id connection : out.close) {
        net_.close(connection, self);
    }
    for (const server_id server : out.dial) {
        net_.dial(self, node_of(server), line_kind::client);
    }
    for (client_datagram& each : out.datagrams) {
        net_.cast(self, node_of(each.to), std::move(each.bytes));
    }
    if (out.wake < who.armed) {
        who.armed = out.wake;
        time_.add(out.wake, task::client, static_cast<std::uint32_t>(number));
    }
}

// -- What is at the ends of the lines -------------------------------------------------------------

bool world::powered(node n) const {
    return !is_server(n) || at(n).powered();
}

bool world::listens(node n) const {
    return !is_server(n) || at(n).runs();
}

std::uint64_t world::life(node n) const {
    return is_server(n) ? at(n).life() : 1;
}

void world::accepted(node n, connection_id connection, line_kind kind) {
    at(n).accepted(connection, kind);
}

void world::dialled(node n, node peer, connection_id connection, line_kind kind) {
    if (is_server(n)) {
        return at(n).dialled(server_of(peer), connection, kind);
    }
    customers_[place(n)].model->dialled(time_.now(), server_of(peer), connection);
    serve(place(n));
}

void world::dial_failed(node n, node peer, line_kind kind) {
    if (is_server(n)) {
        return at(n).dial_failed(server_of(peer), kind);
    }
    customers_[place(n)].model->dial_failed(time_.now(), server_of(peer));
    serve(place(n));
}

void world::received(node n, connection_id connection, content&& what) {
    if (is_server(n)) {
        return at(n).received(connection, std::move(what));
    }
    if (const auto* answer = std::get_if<server_answer>(&what)) {
        const auto* const login = std::get_if<wire::login_ok>(answer);
        if (login != nullptr && login->beacon && steals_key_) {
            forger_.learn(login->beacon->tag, login->beacon->key);
        }
        customers_[place(n)].model->heard(time_.now(), connection, *answer);
        serve(place(n));
    }
}

void world::ended(node n, connection_id connection) {
    if (is_server(n)) {
        return at(n).ended(connection);
    }
    customers_[place(n)].model->connection_ended(time_.now(), connection);
    serve(place(n));
}

/// C.2: somebody hears what reaches clients, and sends what he makes of it.
void world::datagram(node n, node from, base::byte_view bytes) {
    if (is_server(n)) {
        return at(n).datagram(from, bytes);
    }
    forger_.overhears(n, bytes);
    tell_client(n, bytes);
    if (!ways_luck_.one_in(habits_.forged_one_in)) {
        return;
    }
    if (const auto forged = forger_.next()) {
        seen_.saw(sight::forged_datagram);
        tell_client(forged->to, forged->bytes);
    }
}

void world::tell_client(node n, base::byte_view bytes) {
    customers_[place(n)].model->datagram(time_.now(), bytes);
    serve(place(n));
}

/// What the clients have seen of their ways.
void world::count_follows() {
    using almenara::client::source;
    for (const customer& who : customers_) {
        check::follow_counts counts = who.model->follows();
        seen_.saw(sight::told_by_beacon, counts.told_by[source::beacon]);
        seen_.saw(sight::told_by_redirect, counts.told_by[source::redirect]);
        seen_.saw(sight::told_by_standby, counts.told_by[source::standby]);
        seen_.saw(sight::told_by_members, counts.told_by[source::members]);
        seen_.saw(sight::told_by_directory, counts.told_by[source::directory]);
        seen_.saw(sight::hint_refuted, counts.hints.refuted);
        seen_.saw(sight::hint_contradicted, counts.hints.contradicted);
        seen_.saw(sight::old_announcement, counts.hints.old);
    }
}

} // namespace almenara::sim
