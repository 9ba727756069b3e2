#pragma once

#include "support/check/history.hpp"
#include "support/check/kv_model.hpp"
#include "support/check/orders.hpp"

#include <cstdint>

namespace almenara::test::check {

/// What became of everything that was confirmed, once nothing is under way any more.
struct end_of_all {
    std::uint64_t confirmed = 0; ///< writes that took effect
    std::uint64_t unknown = 0;   ///< writes of which nobody told whether they did
    std::uint64_t lost = 0;      ///< confirmed, and not there
    std::uint64_t twice = 0;     ///< there more often than it was asked for
    std::uint64_t invented = 0;  ///< there, and nobody asked for it
    evidence examples;           ///< a few
};

/// I12, I13 as clients can see them, from what the keys hold in the end. A key that one put ever
/// named holds its value at the very index that was confirmed. A key that is only added to holds
/// the sum of what was confirmed, and at most of what nobody heard of. No two answers name the same
/// entry. Keys with a more colourful life are the matter of find_orders().
[[nodiscard]] end_of_all settle(const history& heard, const key_values& in_the_end);

} // namespace almenara::test::check
