#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstdint>

namespace almenara::state {

/// What the state must know of an entry's type.
enum class payload_kind : std::uint8_t {
    update, ///< a state::update, whatever its label
    config, ///< kept with the applied row (B.4)
    other,  ///< nothing for the state; it only takes an index
};

/// An entry of the replicated log, as the state sees it.
struct log_record {
    log_index index;
    almenara::epoch epoch;
    std::uint64_t hash = 0;
    wall_time time;
    payload_kind kind = payload_kind::update;
    base::byte_view payload;
};

} // namespace almenara::state
