#pragma once

#include "base/ids.hpp"
#include "base/strong.hpp"
#include "wire/described.hpp"

#include <compare>
#include <cstdint>
#include <tuple>

namespace almenara::replica {

/// Random, new per start of a process (B.1).
using incarnation = base::strong<struct incarnation_tag, std::uint64_t>;

/// Number of a local election attempt; answers with another value are dropped (B.1).
using generation = base::strong<struct generation_tag, std::uint32_t>;

/// A probe round: who echoes it has heard everything that was sent before it (B.9).
using probe_number = base::strong<struct probe_number_tag, std::uint64_t>;

/// XXH3 chain over the log up to an entry (B.4).
using hash64 = base::strong<struct hash64_tag, std::uint64_t>;

/// Names a log_write; log_synced echoes it.
using batch_number = base::strong<struct batch_number_tag, std::uint64_t>;

/// Names a meta_record; meta_synced echoes it.
using meta_number = base::strong<struct meta_number_tag, std::uint64_t>;

/// Names a read_request; given by the driver.
using read_ticket = base::strong<struct read_ticket_tag, std::uint64_t>;

/// One incarnation of a link (B.2). Everything known about the peer's log belongs to it and is
/// forgotten with it; frames on a bulk connection name it.
struct link_session {
    incarnation dialler;
    incarnation acceptor;
    std::uint64_t counter = 0; ///< of the acceptor's process

    friend std::strong_ordering operator<=>(const link_session& a, const link_session& b) {
        return std::tie(a.dialler, a.acceptor, a.counter) <=>
               std::tie(b.dialler, b.acceptor, b.counter);
    }
};
ALMENARA_DESCRIBE(link_session, dialler, acceptor, counter)

} // namespace almenara::replica
