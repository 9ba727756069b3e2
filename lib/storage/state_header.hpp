#pragma once

#include "state/rows.hpp"
#include "wire/described.hpp"
#include "wire/message_list.hpp"

#include <cstdint>

namespace almenara::storage {

/// Raised when an older version must not open a state that a newer one wrote.
inline constexpr std::uint16_t state_schema = 1;

/// The row of the state's database that is about itself, under the empty key, which no row of the
/// state has. It is in every batch (B.4).
struct state_header {
    std::uint16_t schema = state_schema;
    state::applied_row applied;
};
ALMENARA_DESCRIBE(state_header, schema, applied)

/// Of the numbers 0x04xx.
using state_db_records = wire::message_list<wire::listed<state_header, 0x0403>>;

} // namespace almenara::storage
