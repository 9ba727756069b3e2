#include "sim/profile.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace almenara::sim {

namespace {

using namespace std::chrono_literals;

using pace = std::pair<fault, duration>;

profile with(std::string_view name, std::string_view meaning, std::initializer_list<pace> paces) {
    profile made{.name = name, .meaning = meaning};
    for (const auto& [what, every] : paces) {
        made[what] = every;
    }
    return made;
}

profile everything() {
    profile made =
        with("default", "a bit of everything",
             {{fault::kill, 9s},          {fault::kill_inside, 9s}, {fault::power, 25s},
              {fault::power_inside, 25s}, {fault::power_all, 60s},  {fault::kill_all, 60s},
              {fault::pause, 15s},        {fault::lag, 5s},         {fault::halves, 25s},
              {fault::isolate, 25s},      {fault::bridge, 40s},     {fault::chain, 40s},
              {fault::constrained, 40s},  {fault::one_way, 20s},    {fault::deaf, 40s},
              {fault::mute, 40s},         {fault::clog, 20s},       {fault::swizzle, 40s},
              {fault::reset, 12s},        {fault::swallow, 25s},    {fault::flap, 60s},
              {fault::rot, 25s},          {fault::slow_disk, 25s},  {fault::sync_error, 40s},
              {fault::misdirect, 60s},    {fault::wall_jump, 30s},  {fault::terminate, 30s},
              {fault::transfer, 30s}});
    made.habits.most_lost_per_mille = 20;
    return made;
}

profile calm() {
    return with("calm", "nothing goes wrong", {});
}

profile storm() {
    profile made = with("storm", "processes and machines die all the time",
                        {{fault::kill, 4s},
                         {fault::kill_inside, 3s},
                         {fault::power, 8s},
                         {fault::power_inside, 8s},
                         {fault::power_all, 15s},
                         {fault::kill_all, 20s},
                         {fault::sync_error, 20s},
                         {fault::reset, 10s}});
    made.habits.restart_most = 2s;
    return made;
}

profile damage() {
    profile made = with("damage", "logs rot, and are repaired under kills",
                        {{fault::rot, 4s},
                         {fault::misdirect, 10s},
                         {fault::kill, 4s},
                         {fault::kill_inside, 6s},
                         {fault::power, 10s},
                         {fault::power_all, 30s},
                         {fault::isolate, 20s},
                         {fault::transfer, 20s}});
    made.habits.restart_most = 3s;
    return made;
}

profile slow_disk() {
    profile made = with("slow_disk", "syncs take up to 3 s, some fail",
                        {{fault::slow_disk, 4s},
                         {fault::sync_error, 15s},
                         {fault::kill, 12s},
                         {fault::power, 15s},
                         {fault::power_all, 40s}});
    made.habits.disk.log_sync = {8ms, 500ms};
    made.habits.disk.meta_sync = {8ms, 500ms};
    return made;
}

profile slow_everywhere() {
    profile made =
        with("slow_everywhere", "all disks are slow, and the office stays where it is", {});
    made.habits.disk.log_sync = {500ms, 900ms};
    made.office_lasts = replica::timers{}.handover_pause;
    return made;
}

profile slow_meta() {
    profile made = with("slow_meta", "each sync of meta takes longer than a candidate waits",
                        {{fault::kill, 5s},
                         {fault::power, 8s},
                         {fault::power_inside, 8s},
                         {fault::power_all, 20s},
                         {fault::isolate, 20s}});
    made.habits.disk.meta_sync = {180ms, 400ms};
    made.habits.restart_most = 1s;
    return made;
}

profile partitions() {
    profile made = with("partitions", "the network falls apart in every pattern",
                        {{fault::halves, 6s},
                         {fault::isolate, 6s},
                         {fault::bridge, 10s},
                         {fault::chain, 10s},
                         {fault::one_way, 6s},
                         {fault::deaf, 10s},
                         {fault::mute, 10s},
                         {fault::clog, 8s},
                         {fault::swizzle, 12s},
                         {fault::swallow, 10s},
                         {fault::flap, 20s},
                         {fault::kill, 20s}});
    made.habits.most_lost_per_mille = 50;
    return made;
}

profile pauses() {
    return with("pauses", "processes stop and go on, clocks jump",
                {{fault::pause, 2s},
                 {fault::lag, 500ms},
                 {fault::wall_jump, 5s},
                 {fault::kill, 15s},
                 {fault::power_inside, 15s},
                 {fault::transfer, 15s},
                 {fault::terminate, 20s}});
}

profile hostile_timing() {
    profile made = with("hostile_timing", "delays as long as timers, late turns, fast restarts",
                        {{fault::kill, 4s},
                         {fault::kill_inside, 4s},
                         {fault::power, 6s},
                         {fault::power_inside, 6s},
                         {fault::power_all, 20s},
                         {fault::clog, 8s},
                         {fault::one_way, 10s},
                         {fault::reset, 4s},
                         {fault::pause, 10s},
                         {fault::lag, 1s},
                         {fault::transfer, 10s}});
    made.habits.net.delay = {8ms, 500ms};
    made.habits.most_lost_per_mille = 300;
    made.habits.disk.log_sync = {8ms, 200ms};
    made.habits.disk.meta_sync = {20ms, 300ms};
    made.habits.late_turn_one_in = 3;
    made.habits.late_turn = 30ms;
    made.habits.restart_most = 300ms;
    return made;
}

profile handovers() {
    return with("handovers", "SIGTERM and wishes of an operator, under kills",
                {{fault::terminate, 4s},
                 {fault::transfer, 3s},
                 {fault::kill, 10s},
                 {fault::power_inside, 10s},
                 {fault::one_way, 15s},
                 {fault::clog, 10s},
                 {fault::pause, 20s}});
}

profile stragglers() {
    profile made = with("stragglers", "logs of different length, and messages that come very late",
                        {{fault::chain, 4s},
                         {fault::bridge, 5s},
                         {fault::isolate, 4s},
                         {fault::one_way, 4s},
                         {fault::deaf, 6s},
                         {fault::clog, 3s},
                         {fault::swizzle, 8s},
                         {fault::kill, 6s},
                         {fault::kill_inside, 8s}});
    made.habits.net.delay = {2ms, 900ms};
    made.habits.most_lost_per_mille = 300;
    made.habits.net.retransmission = 600ms;
    made.habits.restart_most = 1s;
    return made;
}

profile pulls() {
    profile made = with("pulls", "elections in which only a server with an old log can win",
                        {{fault::constrained, 7s}, {fault::kill, 30s}, {fault::one_way, 30s}});
    made.habits.late_chunk_percent = 70;
    made.habits.net.delay = {2ms, 20ms};
    return made;
}

profile lone_ways() {
    profile made = with("lone_ways", "clients that know one way to a new primary, under kills",
                        {{fault::kill, 3s},
                         {fault::pause, 5s},
                         {fault::isolate, 8s},
                         {fault::one_way, 8s},
                         {fault::reset, 5s},
                         {fault::terminate, 10s},
                         {fault::transfer, 10s}});
    made.habits.lone_ways_one_in = 1;
    made.habits.restart_most = 1s;
    return made;
}

profile lost_disk() {
    profile made = everything();
    made.name = "lost_disk";
    made.meaning = "the default, and one server loses its disk for good";
    made[fault::lose_disk] = 30s;
    return made;
}

profile mortal_clients() {
    profile made = with("mortal_clients", "clients die too, and go on with what they have kept",
                        {{fault::kill, 5s},
                         {fault::kill_inside, 8s},
                         {fault::power_all, 30s},
                         {fault::isolate, 20s},
                         {fault::one_way, 20s},
                         {fault::reset, 8s},
                         {fault::transfer, 15s}});
    made.habits.restart_most = 2s;
    made.clients_die = 3s;
    return made;
}

} // namespace

const std::vector<profile>& all_profiles() {
    static const std::vector<profile> all{
        everything(),    calm(),       storm(),     damage(),          slow_disk(),
        slow_meta(),     partitions(), pauses(),    hostile_timing(),  handovers(),
        stragglers(),    pulls(),      lost_disk(), slow_everywhere(), lone_ways(),
        mortal_clients()};
    return all;
}

std::optional<profile> find_profile(std::string_view name) {
    const auto& all = all_profiles();
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const profile& p) { return p.name == name; });
    return at == all.end() ? std::nullopt : std::optional{*at};
}

} // namespace almenara::sim
