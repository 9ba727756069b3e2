#pragma once

#include "sim/check/history.hpp"
#include "state/codes.hpp"

namespace almenara::sim::check {

/// A client's wish as the key-value service hears it.
[[nodiscard]] base::byte_vector body_of(const request& what);

/// What the service answered: to an operation of entry `index`, or to a question about the state
/// up to there.
[[nodiscard]] reply reply_of(const request& what,
                             state::result_code code,
                             log_index index,
                             base::byte_view body);

} // namespace almenara::sim::check
