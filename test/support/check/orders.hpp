#pragma once

#include "support/check/history.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What clients of real servers saw, judged by nothing else: nobody looks into a server here.
namespace almenara::test::check {

/// Something that must never be, in words.
using evidence = std::vector<std::string>;

struct orders {
    std::uint64_t keys_in_order = 0;
    std::uint64_t keys_unknown = 0; ///< the search gave up
    evidence broken;                ///< one for each key that has no order
};

/// For each key: any order that explains what clients saw (I15). The one that the servers name by
/// their indexes is tried first, and believed no more than any other.
[[nodiscard]] orders find_orders(const history& heard, std::size_t most_steps);

/// Who asked after an answer had come rests on no older state and no older epoch than that answer
/// (I16, I19). Finds in n log n what a search over a long history would not get to.
struct stale_answers {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    evidence examples; ///< a few
};
[[nodiscard]] stale_answers find_stale(const history& heard);

} // namespace almenara::test::check
