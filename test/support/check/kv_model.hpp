#pragma once

#include "base/ids.hpp"
#include "support/check/history.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace almenara::test::check {

/// One row of the key-value service's state.
struct value_row {
    std::string value; ///< a counter in decimal
    log_index version;

    friend bool operator==(const value_row&, const value_row&) = default;
};
using key_values = std::map<std::string, value_row>;

/// cli.md: no key, or one that is too long. Such a request is refused whatever the state is.
[[nodiscard]] bool is_bad(const request& what);
inline constexpr std::size_t longest_key = 512;

/// What the service should be: the words of cli.md as a few lines of code, written again and not
/// taken from it. Executes what is a write as entry `index`, or answers a get from the state that
/// holds everything up to `index`.
[[nodiscard]] reply execute(key_values& state, const request& what, log_index index);

} // namespace almenara::test::check
