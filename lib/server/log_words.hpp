#pragma once

#include "replica/core.hpp"
#include "replica/entry.hpp"
#include "server/replication.hpp"
#include "state/log_record.hpp"
#include "state/requests.hpp"

/// What the log and the state call the same things: for whoever stands between the two, which is
/// the driver, and in tests what plays it.
namespace almenara::server {

[[nodiscard]] inline replica::entry_type type_of(state::update_label label) {
    switch (label) {
    case state::update_label::session_open:
        return replica::entry_type::session_open;
    case state::update_label::session_close:
        return replica::entry_type::session_close;
    case state::update_label::expire:
        return replica::entry_type::expire;
    case state::update_label::update:
        break;
    }
    return replica::entry_type::update;
}

[[nodiscard]] inline state::payload_kind kind_of(replica::entry_type type) {
    switch (type) {
    case replica::entry_type::config:
        return state::payload_kind::config;
    case replica::entry_type::epoch_start:
    case replica::entry_type::digest:
        return state::payload_kind::other;
    default:
        return state::payload_kind::update;
    }
}

/// The entry outlives it.
[[nodiscard]] inline state::log_record record_of(const replica::entry& entry) {
    return {.index = entry.index,
            .epoch = entry.epoch,
            .hash = entry.hash.value(),
            .time = entry.time,
            .kind = kind_of(entry.type),
            .payload = entry.payload};
}

[[nodiscard]] inline log_piece piece_of(const replica::core& core,
                                        log_index from,
                                        const log_share& most) {
    log_piece piece;
    for (const replica::entry_ptr& entry :
         core.entries_from(from, {.entries = most.entries, .bytes = most.bytes})) {
        piece.entries.push_back(record_of(*entry));
        from = entry->index.next();
    }
    piece.is_last = !core.position(from);
    return piece;
}

} // namespace almenara::server
