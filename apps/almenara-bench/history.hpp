#pragma once

#include "base/time.hpp"
#include "client/errands.hpp"
#include "workload.hpp"

#include <cstdint>
#include <string>

namespace almenara::bench {

/// One operation as a checker reads it (docs/testing.md).
struct history_entry {
    std::uint32_t client = 0;
    operation asked;
    instant called;
    instant returned;
    client::answer how;
    outcome heard;
};

/// Whether it took effect: a failure certainly has none, what is unknown may have one, even later.
enum class effect : std::uint8_t { ok, failed, unknown };
[[nodiscard]] effect effect_of(wire::result_code code);

/// The line, with its end.
[[nodiscard]] std::string line_of(const history_entry& what);

} // namespace almenara::bench
