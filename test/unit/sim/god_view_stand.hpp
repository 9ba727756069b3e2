#pragma once

#include "sim/check/god_view.hpp"
#include "unit/sim/told_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <string>

namespace almenara::sim::check {

inline const std::string nothing;

/// Server 3 is primary of epoch 2, and its first entry is committed.
struct at_work : told_cluster {
    at_work() {
        elect(3, 2);
        first = replicate(3, 2);
        REQUIRE(broken() == nothing);
    }

    std::uint64_t first = 0;
};

[[nodiscard]] inline replica::log_end end_at(std::uint64_t of, std::uint64_t index) {
    return {.epoch = epoch{of}, .index = log_index{index}};
}

} // namespace almenara::sim::check
