#include "sim/reception.hpp"

#include "base/check.hpp"
#include "server/log_words.hpp"
#include "state/session_table.hpp"
#include "state/update.hpp"
#include "wire/codec.hpp"

#include <chrono>
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
      base_(std::move(base)),
      luck_(luck),
      seen_(around.seen),
      uses_(around.found),
      hall_(base_,
            kv_,
            around.habits.state,
            static_cast<almenara::server::replication&>(*this),
            {.looked_at_once = around.habits.looked_at_once, .sweep_every = never_by_itself}) {}

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
