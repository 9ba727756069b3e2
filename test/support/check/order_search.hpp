#pragma once

#include "support/check/history.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace almenara::test::check {

enum class verdict : std::uint8_t {
    linearizable,
    broken,
    unknown, ///< the limit of steps came first
};

/// Wing and Gong with Lowe's memory, over the operations of one key: is there any order? Believes
/// no index that a server names, only what clients saw. At the beginning the key is not there.
[[nodiscard]] verdict search_order(const std::vector<operation>& of_one_key,
                                   std::size_t most_steps);

/// Whether exactly this order explains what clients saw, and agrees with real time: the one in
/// which the operations stand here. Of one that nobody heard of it may be that it changed nothing.
[[nodiscard]] bool explains(const std::vector<operation>& in_order);

} // namespace almenara::test::check
