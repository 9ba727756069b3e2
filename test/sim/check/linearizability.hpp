#pragma once

#include "sim/check/committed_log.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/history.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace almenara::sim::check {

/// I15, I16 with the servers' own word as witness: the order of the log must agree with real time
/// and every read with the point that it claims. Sees everything, in n log n.
void check_order(findings& found, const committed_log& committed, const history& heard);

/// How many keys have an order, and of how many nobody knows.
struct orders_found {
    std::uint64_t found = 0;
    std::uint64_t unknown = 0;
};

/// For each key: any order that explains what clients saw. The log's own order is tried first, as
/// any other guess would be, and judged like it; if it does not explain everything, the search has
/// to find one, as far as `most_steps` go.
[[nodiscard]] orders_found search_orders(findings& found,
                                         const committed_log& committed,
                                         const history& heard,
                                         std::size_t most_steps);

} // namespace almenara::sim::check
