#pragma once

#include "support/check/history.hpp"

namespace almenara::test::check {

/// What two crowds of clients asked and heard, who have ended, as if it were one crowd. Their
/// clients have different numbers.
[[nodiscard]] history merged(const history& some, const history& others);

} // namespace almenara::test::check
