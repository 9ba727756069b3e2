#include "sim/server.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>

/// Clocks, life and death of a process, and what reaches it. Its turns are in server_turn.cpp, what
/// becomes of an output is in server_output.cpp.
namespace almenara::sim {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_day{1'767'225'600'000}; // 2026-01-01

data_uuid new_uuid(dice& luck) {
    std::array<std::byte, 16> bytes{};
    for (std::byte& b : bytes) {
        b = static_cast<std::byte>(luck.below(256));
    }
    return data_uuid{bytes};
}

replica::connection_kind kind_of(line_kind kind) {
    return kind == line_kind::bulk ? replica::connection_kind::bulk
                                   : replica::connection_kind::control;
}

} // namespace

server::process::process(replica::start_state start,
                         const replica::moment& now,
                         state::memory_key_space state,
                         dice luck,
                         scene& around)
    : core(std::move(start), around.habits.core, now),
      clients(core, std::move(state), luck, around),
      mouth(luck) {}

server::server(server_id self, std::vector<server_id> listed, scene& around, dice luck)
    : self_(self),
      listed_(std::move(listed)),
      around_(around),
      luck_(luck),
      disk_(luck_.fork(), around.habits.log),
      disk_habits_(around.habits.disk),
      uuid_(new_uuid(luck_)),
      priority_(static_cast<std::uint16_t>(
          luck_.below(std::uint64_t{around.habits.highest_priority} + 1))) {}

// -- Clocks ---------------------------------------------------------------------------------------

replica::moment server::moment() const {
    const duration since = now() - process_->born;
    const duration local =
        process_->offset + duration{since.count() / 1000 * process_->rate +
                                    since.count() % 1000 * process_->rate / 1000};
    return {.monotonic = instant{local},
            .wall = wall_time{first_day + wall_offset_ +
                              std::chrono::duration_cast<milliseconds>(now().since_origin())}};
}

instant server::when(instant local) const {
    if (local == instant::max()) {
        return local;
    }
    const duration since = local.since_origin() - process_->offset;
    // Rounded up: a timer never fires before its time.
    return process_->born + duration{since.count() / process_->rate * 1000 + 1000};
}

void server::jump_wall_clock(milliseconds by) {
    around_.tale.tell(now(), self_, "its wall clock jumps by {} ms", by.count());
    wall_offset_ += by;
}

// -- Life and death -------------------------------------------------------------------------------

storage::core::state_row server::flushed_row() const {
    const state::applied_row& row = kept_state_.applied();
    storage::core::state_row known{
        .applied = {.index = row.index, .epoch = row.epoch, .hash = replica::hash64{row.hash}},
        .config = nullptr,
        .time = row.time};
    if (row.config_index != log_index{}) {
        known.config = std::make_shared<const replica::entry>(replica::entry{
            .index = row.config_index, .type = replica::entry_type::config, .payload = row.config});
    }
    return known;
}

replica::start_state server::begin_with(storage::core::started_log&& found) {
    replica::start_state start{.self = self_,
                               .uuid = uuid_,
                               .incarnation = replica::incarnation{luck_.number()},
                               .seed = luck_.number(),
                               .addresses = {fmt::format("server-{}:7000", self_)},
                               .priority = priority_,
                               .listed = listed_,
                               .confirm = around_.habits.confirm,
                               .meta = {},
                               .found_damaged = std::nullopt,
                               .unclean_boot = false,
                               .base = {},
                               .time_at_base = {},
                               .positions = {},
                               .recent = {},
                               .configs = {},
                               .applied = {}};
    std::move(found).give_to(start);
    return start;
}

/// What is on the disk, written again and synced; nothing if the start was ended in the middle.
std::optional<storage::core::started_log> server::open_log() {
    constexpr std::uint64_t most_operations = 8;
    std::optional<std::size_t> operations;
    if (luck_.one_in(around_.habits.end_in_start_one_in)) {
        operations = static_cast<std::size_t>(luck_.below(most_operations));
    }
    const bool hurt = disk_.hurt();
    auto found = disk_.start(flushed_row(), operations);
    note_disk_events();
    if (!found) {
        return found;
    }
    if (found->verdict == storage::core::scan_verdict::torn) {
        around_.seen.saw(sight::torn_tail);
    }
    if (const auto& damage = found->found.found_damaged) {
        around_.seen.saw(damage->end ? sight::damaged_log : sight::damaged_unknown);
        if (!hurt) {
            around_.found.report("E.3", "server {} finds its log damaged from {}, and it is not",
                                 self_, damage->from);
        }
    }
    if (found->found.log_given_up) {
        around_.seen.saw(sight::state_ahead);
    }
    return found;
}

void server::start() {
    if (process_) {
        return;
    }
    if (!std::exchange(powered_, true)) {
        around_.net.powered_up(node_of(self_));
    }
    auto found = open_log();
    if (!found) {
        around_.seen.saw(sight::kill_in_start);
        around_.tale.tell(now(), self_, "ends in the middle of its start");
        ++life_;
        disk_.crash(luck_.one_in(2) ? death::power : death::exit);
        return start_in(luck_.between(around_.habits.restart_least, around_.habits.restart_most));
    }
    const bool torn = found->verdict == storage::core::scan_verdict::torn;
    ++life_;
    replica::start_state begin = begin_with(std::move(*found));
    around_.tale.tell(
        now(), self_, "starts with epoch {}, log {} to {}, state up to {}{}{}", begin.meta.epoch,
        begin.base.index.next(), begin.base.index.value() + begin.positions.size(), begin.applied,
        torn ? ", a torn tail" : "",
        begin.found_damaged ? fmt::format(", damaged from {}", begin.found_damaged->from) : "");
    around_.god.started(begin);
    const auto rate = static_cast<std::int64_t>(
        around_.habits.clock_rate_least +
        luck_.below(around_.habits.clock_rate_most - around_.habits.clock_rate_least + 1));
    const duration offset = luck_.between(std::chrono::seconds{1}, std::chrono::hours{1000});
    const replica::moment birth{
        .monotonic = instant{offset},
        .wall = wall_time{first_day + wall_offset_ +
                          std::chrono::duration_cast<milliseconds>(now().since_origin())}};
    process_.emplace(std::move(begin), birth, kept_state_, luck_.fork(), around_);
    process_->born = now();
    process_->rate = rate;
    process_->offset = offset;
    process_->depth = 1 + static_cast<std::size_t>(luck_.below(4));
    process_->status = process_->core.status();
    busy_until_ = now();
    disk_quiet_since_ = now();
    seal_armed_ = false;
    turn();
}

void server::start_in(duration delay) {
    around_.time.add(now() + delay, task::start, self_.value(), life_);
}

void server::die(death how) {
    if (process_) {
        process_ends(how, how == death::power ? "loses its power" : "is killed");
    } else if (how == death::power && powered_) {
        powered_ = false;
        disk_.crash(how);
    }
    fuse_.reset();
}

void server::die_inside_output(death how) {
    fuse_.emplace(1 + luck_.below(24), how);
}

bool server::survives() {
    if (fuse_ && --fuse_->first == 0) {
        ending_.emplace(fuse_->second, "is killed in the middle of an output");
        around_.seen.saw(sight::kill_in_output);
        fuse_.reset();
        return false;
    }
    return true;
}

void server::process_ends(death how, const std::string& why) {
    around_.tale.tell(now(), self_, "{}", why);
    around_.seen.saw(how == death::power ? sight::power_loss : sight::kill);
    process_.reset();
    ending_.reset();
    ++life_;
    ++disk_life_;
    armed_ = instant::max();
    if (how == death::power) {
        powered_ = false;
    }
    disk_.crash(how);
    around_.god.ended(self_);
    around_.liveness.ended(self_, now());
    around_.net.process_ended(node_of(self_), how);
}

void server::pause(duration length) {
    busy_until_ = std::max(busy_until_, now() + length);
}

void server::recover() {
    fuse_.reset();
    disk_.spare_next_sync();
    if (disk_.busy_since()) {
        // A sync that is still under way ends as if it had begun now.
        around_.time.add(now() + luck_.draw(disk_habits_.log_sync), task::disk, self_.value(),
                         ++disk_life_);
    }
    if (std::exchange(busy_until_, now()) > now() && process_) {
        arm(now());
    }
}

void server::fail_next_sync() {
    disk_.fail_next_sync();
}

void server::terminate() {
    if (process_) {
        process_->to_end.terminate = true;
        arrives(replica::terminate{});
    }
}

void server::transfer(std::optional<server_id> target) {
    if (process_) {
        arrives(replica::transfer{.target = target});
    }
}

bool server::rot(rot_place what, log_index at) {
    switch (what) {
    case rot_place::batch:
        return disk_.rot_batch(at);
    case rot_place::header:
        return disk_.rot_header(at);
    default:
        return disk_.rot_slot();
    }
}

bool server::impaired() const {
    return disk_.hurt() || disk_.meta().damaged ||
           (process_ && process_->status.damaged.has_value());
}

void server::lose_disk() {
    die(death::power);
    disk_.replace();
    kept_state_ = {};
    around_.flushed.erase(self_);
    around_.god.disk_replaced(self_);
    uuid_ = new_uuid(luck_);
    lost_ = true;
}

// -- What arrives ---------------------------------------------------------------------------------

void server::arrives(replica::event what) {
    if (process_) {
        process_->inbox.push_back(std::move(what));
        want_turn();
    }
}

void server::asks(heard_client what) {
    process_->asked.push_back(std::move(what));
    want_turn();
}

void server::accepted(connection_id connection, line_kind kind) {
    if (!process_) {
        return;
    }
    if (kind == line_kind::client) {
        process_->client_lines.insert(connection);
        return;
    }
    arrives(replica::connection_opened{
        .connection = connection, .kind = kind_of(kind), .dialled = std::nullopt});
}

void server::dialled(server_id peer, connection_id connection, line_kind kind) {
    arrives(replica::connection_opened{
        .connection = connection, .kind = kind_of(kind), .dialled = peer});
}

void server::dial_failed(server_id peer, line_kind kind) {
    arrives(replica::dial_failed{.peer = peer, .kind = kind_of(kind)});
}

void server::received(connection_id connection, content&& what) {
    if (!process_) {
        return;
    }
    if (auto* frame = std::get_if<link_frame>(&what)) {
        note_heard(*frame);
        around_.tale.tell(now(), self_, "hears on {} e{} {}", connection, frame->epoch,
                          around_.tale.told() ? in_words(*frame->message) : "");
        arrives(replica::frame_received{.connection = connection,
                                        .epoch = frame->epoch,
                                        .message = *frame->message,
                                        .hlc = frame->hlc});
    } else if (auto* asked = std::get_if<client_request>(&what)) {
        asks({.connection = connection, .request = std::move(*asked)});
    }
}

/// The kernel keeps it for a process that is paused.
void server::datagram(node from, base::byte_view bytes) {
    if (process_) {
        process_->mouth.received(from, {bytes.begin(), bytes.end()});
        want_turn();
    }
}

void server::ended(connection_id connection) {
    if (!process_) {
        return;
    }
    if (process_->client_lines.erase(connection) != 0) {
        asks({.connection = connection, .request = std::nullopt});
        return;
    }
    around_.tale.tell(now(), self_, "connection {} has ended", connection);
    arrives(replica::connection_closed{connection});
}

} // namespace almenara::sim
