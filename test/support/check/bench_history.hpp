#pragma once

#include "base/error.hpp"
#include "support/check/history.hpp"

#include <string_view>

namespace almenara::test::check {

/// What `almenara-bench --history` has written (docs/testing.md), as the checkers take it. What
/// certainly had no effect is left out: it explains nothing, and nothing has to explain it.
[[nodiscard]] result<history> read_bench_history(std::string_view text);

} // namespace almenara::test::check
