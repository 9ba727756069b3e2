#include "cluster/five_machines.hpp"

#include "net/clock.hpp"
#include "support/check/merged.hpp"
#include "support/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::test {

five_machines::five_machines(unsigned number,
                             const std::string& scenario,
                             five_machines_settings settings)
    : table(number, scenario),
      servers({.arguments = settings.arguments, .on = &wires}),
      settings_(std::move(settings)) {
    servers.start_all();
    office = servers.wait_until_in_sync();
    counted_upto_ = office.epoch;
}

void five_machines::begin() {
    ++run_;
    clients_.clear();
    first = &add_client(first_client, office.primary);
    second = &add_client(second_client, a_backup());
    all_go_on();
    // Whoever is in office now, for it is the one who will be meant.
    office = servers.wait_until_in_sync();
    fault_at = net::monotonic_now();
}

load& five_machines::add_client(machine where, server_id known) {
    constexpr std::uint32_t most_hands = 1000;
    load_habits habits = settings_.habits;
    habits.prefix = prefix();
    habits.seed = run_;
    habits.network = wires.space(where);
    habits.first_client = 1 + static_cast<std::uint32_t>(clients_.size()) * most_hands;
    const std::vector<std::string> told{settings_.known.value_or(servers.address(known))};
    clients_.push_back(std::make_unique<load>(told, habits));
    return *clients_.back();
}

void five_machines::end() {
    all_go_on();
    check::history all;
    instant ended;
    for (const auto& each : clients_) {
        each->finish();
        all = check::merged(all, each->heard());
        table.add_told_by(each->told_by());
        ended = each->ended();
    }
    office = servers.wait_until_in_sync();
    table.add(all, read_all(servers.addresses(), prefix()), fault_at, ended);
    table.add_elections(office.epoch.value() - counted_upto_.value());
    counted_upto_ = office.epoch;
}

void five_machines::all_go_on() const {
    for (const auto& each : clients_) {
        each->goes_on(few_writes);
    }
}

cluster::office five_machines::wait_for_another() {
    const auto after = servers.wait_for_primary(office.epoch);
    CHECK(after.primary != office.primary);
    table.note("somebody else says that it is primary", since_fault());
    return after;
}

void five_machines::until_fault_lasted(duration length, const load& served) const {
    until_fault_lasted(length);
    served.goes_on(1);
}

void five_machines::until_fault_lasted(duration length) const {
    eventually([&] { return since_fault() >= length; }, length + patience, "time passes");
}

duration five_machines::since_fault() const {
    return net::monotonic_now() - fault_at;
}

server_id five_machines::a_backup() const {
    const auto backups = servers.others_than(office.primary);
    return backups[run_ % backups.size()];
}

std::vector<machine> five_machines::all_but(const std::vector<machine>& these) const {
    std::vector<machine> rest;
    for (const unsigned number : {1U, 2U, 3U, 4U, 5U}) {
        if (std::find(these.begin(), these.end(), machine{number}) == these.end()) {
            rest.push_back(machine{number});
        }
    }
    return rest;
}

std::string five_machines::prefix() const {
    return fmt::format("run {}/", run_);
}

void kill_the_primary(five_machines& s) {
    s.begin();
    const server_id victim = s.office.primary;
    s.servers.kill({victim});
    s.wait_for_another();
    s.all_go_on();
    s.servers.start(victim);
    s.end();
}

std::size_t answers_between(const load& client, instant from, instant until) {
    const auto& all = client.heard().operations();
    const auto comes_then = [&](const check::operation& one) {
        return one.returned && *one.returned >= from && *one.returned < until;
    };
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), comes_then));
}

} // namespace almenara::test
