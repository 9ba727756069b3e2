#include "sim/reception.hpp"

#include "base/check.hpp"
#include "server/log_words.hpp"
#include "sim/beacon.hpp"
#include "state/session_table.hpp"
#include "state/update.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace almenara::sim {

namespace {

using almenara::server::record_of;
using almenara::server::sighting;
using almenara::server::type_of;

/// The dice say when sessions are swept.
constexpr duration never_by_itself = std::chrono::hours{1000};

} // namespace

reception::reception(replica::core& core, state::memory_key_space base, dice luck, scene& around)
    : core_(core),
      around_(around),
      cold_luck_(luck.fork()),
      base_([this](std::string_view) { return cold_luck_.one_in(around_.habits.cold_row_one_in); },
            std::move(base)),
      luck_(luck),
      seen_(around.seen),
      uses_(around.found),
      hall_(base_,
            kv_,
            around.habits.state,
            static_cast<almenara::server::replication&>(*this),
            {.looked_at_once = around.habits.looked_at_once, .sweep_every = never_by_itself}) {
    hall_.announces_with(the_announce_key());
}

void reception::look(const replica::moment& now, standing&& here) {
    now_ = now;
    here_ = std::move(here);
}

void reception::request(connection_id connection, client_request what) {
    hall_.request(connection, std::move(what));
}

void reception::connection_ended(connection_id connection) {
    hall_.connection_ended(connection);
    uses_.connection_ended(connection);
}

bool reception::tick() {
    hall_.tick();
    return std::exchange(has_stepped_, false) || hall_.has_news();
}

// -- Rows that are not in memory ------------------------------------------------------------------

void reception::fetch(almenara::server::fetch_ticket ticket, state::needs wanted) {
    const std::uint64_t number = ++around_.fetches;
    fetching_.emplace(number, fetching{.ticket = ticket, .wanted = std::move(wanted)});
    around_.time.add(around_.time.now() + cold_luck_.draw(around_.habits.row_read), task::rows_read,
                     here_.self.value(), number);
}

void reception::read_rows(std::uint64_t number) {
    const auto found = fetching_.find(number);
    if (found != fetching_.end()) {
        found->second.found = base_.fetch(found->second.wanted);
        around_.time.add(around_.time.now() + cold_luck_.draw(around_.habits.row_told),
                         task::rows_told, here_.self.value(), number);
    }
}

bool reception::tell_rows(std::uint64_t number) {
    auto found = fetching_.extract(number);
    if (found.empty()) {
        return false; // Who asked has ended.
    }
    if (number < last_told_) {
        seen_.saw(sight::rows_out_of_order);
    }
    last_told_ = std::max(last_told_, number);
    hall_.fetched(found.mapped().ticket, std::move(found.mapped().found));
    return true;
}

// -- What the core says ---------------------------------------------------------------------------

std::optional<state::unusable_entry> reception::committed(const replica::entry& entry) {
    return hall_.committed(record_of(entry));
}

void reception::confirmed(const replica::confirmation& what) {
    hall_.confirmed({.last = what.last, .durable_on = what.durable_on, .voters = what.voters});
}

void reception::readable(replica::read_ticket ticket) {
    hall_.readable(almenara::server::probe_ticket{ticket.value()});
}

void reception::refused_read(replica::read_ticket ticket) {
    hall_.refused_read(almenara::server::probe_ticket{ticket.value()});
}

std::optional<state::unusable_entry> reception::entered_office(
    const replica::entered_office& what) {
    uses_.office_changed();
    return hall_.entered_office(what.first_uncommitted);
}

std::optional<state::unusable_entry> reception::enter_further() {
    seen_.saw(sight::entered_in_shares);
    return hall_.enter_further();
}

void reception::left_office() {
    uses_.office_changed();
    hall_.left_office();
}

// -- What the reception asks ----------------------------------------------------------------------

std::optional<state::slot> reception::next_slot() const {
    const auto slot = core_.next_slot(now_);
    if (!slot) {
        return std::nullopt;
    }
    return state::slot{.index = slot->index, .time = slot->time};
}

state::random_bytes reception::random() {
    state::random_bytes bytes{};
    for (std::byte& random : bytes) {
        random = static_cast<std::byte>(luck_.below(256));
    }
    return bytes;
}

almenara::server::log_piece reception::own_log(log_index from,
                                               const almenara::server::log_share& most) const {
    return almenara::server::piece_of(core_, from, most);
}

void reception::propose(state::proposed&& entry) {
    watch_expiry(entry);
    const auto slot = core_.next_slot(now_);
    ALMENARA_CHECK(slot.has_value());
    last_proposed_ = slot->index;
    has_stepped_ = true;
    core_.step(now_, replica::proposal{.type = type_of(entry.label),
                                       .session = entry.session.value(),
                                       .seq = entry.seq.value(),
                                       .first_unacked = entry.first_unacked.value(),
                                       .payload = std::move(entry.payload)});
}

void reception::probe(almenara::server::probe_ticket ticket, almenara::epoch seen) {
    has_stepped_ = true;
    core_.step(now_, replica::read_request{.ticket = replica::read_ticket{ticket.value()},
                                           .epoch_seen = seen});
}

// -- What the checks see --------------------------------------------------------------------------

void reception::saw(const sighting& what) {
    switch (what.what) {
    case sighting::kind::session_attached:
        return uses_.attached(what.session.value(), what.connection);
    case sighting::kind::operation_taken:
        return uses_.operated(what.session.value());
    case sighting::kind::repeat_waits:
        return seen_.saw(sight::retry_attached);
    case sighting::kind::repeat_found:
        return seen_.saw(sight::retry_found_result);
    case sighting::kind::read_served:
        return seen_.saw(sight::read_served);
    case sighting::kind::whois_held:
        return seen_.saw(sight::session_held);
    case sighting::kind::waiters_sent_away:
        return seen_.saw(sight::dropped_overlay);
    case sighting::kind::held_for_handover:
        return seen_.saw(sight::held_for_handover);
    case sighting::kind::waits_for_rows:
        return seen_.saw(sight::waited_for_rows);
    case sighting::kind::waits_in_line:
        return seen_.saw(sight::waited_in_line);
    }
}

void reception::watch_expiry(const state::proposed& what) {
    // Whose sequence is named is an operation, which erases no session.
    if (what.label == state::update_label::session_close || what.seq != state::sequence{}) {
        return;
    }
    const auto decided = wire::decode<state::update>(what.payload);
    ALMENARA_CHECK(decided.has_value());
    for (const state::change& change : decided->changes) {
        if (change.kind == state::change_kind::erase &&
            change.key.starts_with(state::session_prefix)) {
            seen_.saw(sight::session_expired);
            uses_.expires(here_.self, state::session_of_key(change.key).value());
        }
    }
}

} // namespace almenara::sim
