#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/ids.hpp"
#include "wire/described.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace almenara::replica {

/// What an entry is for (B.4). The log treats all alike but CONFIG and EPOCH_START.
enum class entry_type : std::uint8_t {
    epoch_start = 1, ///< first of each epoch from 2 on
    update = 2,      ///< state change and stored result; a refusal is one without changes
    session_open = 3,
    session_close = 4,
    expire = 5,
    config = 6,
    digest = 7, ///< reserved
};
ALMENARA_DESCRIBE_ENUM(
    entry_type, epoch_start, update, session_open, session_close, expire, config, digest)

/// One position of the replicated log. What its payload means is not known in this room.
struct entry {
    log_index index;
    almenara::epoch epoch;
    entry_type type = entry_type::update;
    wall_time time; ///< log time, B.4
    std::array<std::byte, 16> session{};
    std::uint64_t seq = 0;
    std::uint64_t first_unacked = 0;
    base::byte_vector payload;
    hash64 hash; ///< of this entry and, through the one before, of the whole log up to here
};
ALMENARA_DESCRIBE(entry, index, epoch, type, time, session, seq, first_unacked, payload, hash)

/// Payload of EPOCH_START: who opened the epoch.
struct epoch_start_payload {
    server_id primary;
    std::vector<std::string> addresses;
};
ALMENARA_DESCRIBE(epoch_start_payload, primary, addresses)

/// Entries never change once they have an index: memory, disk and links share them.
using entry_ptr = std::shared_ptr<const entry>;

/// A position in the log and, by its hash, everything before it. {0, 0, 0} is before the first.
struct log_point {
    log_index index;
    almenara::epoch epoch;
    hash64 hash;
};
ALMENARA_DESCRIBE(log_point, index, epoch, hash)

[[nodiscard]] inline log_point point_of(const entry& e) {
    return {.index = e.index, .epoch = e.epoch, .hash = e.hash};
}

/// Which log is more recent: compared by epoch first (B.1).
struct log_end {
    almenara::epoch epoch;
    log_index index;

    friend std::strong_ordering operator<=>(const log_end& a, const log_end& b) {
        return std::tie(a.epoch, a.index) <=> std::tie(b.epoch, b.index);
    }
};
ALMENARA_DESCRIBE(log_end, epoch, index)

[[nodiscard]] inline log_end end_of(const log_point& point) {
    return {.epoch = point.epoch, .index = point.index};
}

/// B.4: XXH3 of the encoded entry without its hash, seeded with the hash of the one before.
/// `scratch` is overwritten; callers keep it, so that hashing does not allocate.
[[nodiscard]] hash64 chain_hash(hash64 previous, const entry& e, base::byte_vector& scratch);

} // namespace almenara::replica
