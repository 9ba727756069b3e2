#pragma once

#include "base/bytes.hpp"
#include "support/check/history.hpp"
#include "wire/codes.hpp"

namespace almenara::test::check {

/// A client's wish as the key-value service hears it.
[[nodiscard]] base::byte_vector body_of(const request& what);

/// What the service answered: to an operation of entry `index`, or to a question about the state
/// up to there.
[[nodiscard]] reply reply_of(const request& what,
                             wire::result_code code,
                             log_index index,
                             base::byte_view body);

} // namespace almenara::test::check
