#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "state/ids.hpp"
#include "state/update.hpp"
#include "wire/described.hpp"
#include "wire/message_list.hpp"

#include <cstdint>

/// The rows that the state keeps for itself, and what stands in the log and on disks.
namespace almenara::state {

/// How far the state is; written in the same step as the changes of that entry (B.4).
struct applied_row {
    log_index index;
    almenara::epoch epoch;
    std::uint64_t hash = 0; ///< of the log's chain up to there
    log_index config_index;
    base::byte_vector config; ///< payload of the entry at config_index
    wall_time time;           ///< log time there: it never goes back
};
ALMENARA_DESCRIBE(applied_row, index, epoch, hash, config_index, config, time)

/// C.1: one session. Its key is "session/" and the id.
struct session_row {
    device_id device;
    open_nonce nonce;
    log_index opened;
    sequence first_unacked{1};
    sequence last;             ///< the highest that has or had a result
    std::uint32_t results = 0; ///< rows of results there are now
    wall_time active;          ///< log time of its last operation or touch
};
ALMENARA_DESCRIBE(session_row, device, nonce, opened, first_unacked, last, results, active)

/// C.1: finds the session that an opening made. Its key is "nonce/", the device and the nonce.
struct nonce_row {
    session_id session;
    log_index opened;
};
ALMENARA_DESCRIBE(nonce_row, session, opened)

/// C.1: what an operation came to. Its key is "result/", the session and the sequence.
struct result_row {
    log_index index; ///< of its entry
    state::reply reply;
};
ALMENARA_DESCRIBE(result_row, index, reply)

/// How many sessions there are. Its key is "sessions".
struct session_count_row {
    std::uint64_t sessions = 0;
};
ALMENARA_DESCRIBE(session_count_row, sessions)

/// Numbers 0x05xx. They are never alone on a wire: an update travels as the payload of an entry.
using state_records = wire::message_list<wire::listed<update, 0x0501>,
                                         wire::listed<applied_row, 0x0502>,
                                         wire::listed<session_row, 0x0503>,
                                         wire::listed<nonce_row, 0x0504>,
                                         wire::listed<result_row, 0x0505>,
                                         wire::listed<session_count_row, 0x0506>>;

} // namespace almenara::state
