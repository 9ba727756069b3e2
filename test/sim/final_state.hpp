#pragma once

#include "sim/check/history.hpp"
#include "state/table_view.hpp"

namespace almenara::sim {

/// What the key-value service holds, read from its rows.
[[nodiscard]] check::key_values key_values_of(const state::table_view& rows);

} // namespace almenara::sim
