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

enum class verdict : std::uint8_t {
    linearizable,
    broken,
    unknown, ///< the limit of steps came first
};

/// Wing and Gong with Lowe's memory, over the operations of one key: is there any order? Believes
/// no index that a server names, only what clients saw. At the beginning the key is not there.
[[nodiscard]] verdict search_order(const std::vector<operation>& of_one_key,
                                   std::size_t most_steps);

/// The same for each key, as far as `most_steps` go for each.
void search_orders(findings& found, const history& heard, std::size_t most_steps);

} // namespace almenara::sim::check
