#pragma once

#include "base/ids.hpp"
#include "replica/gate.hpp"
#include "sim/check/findings.hpp"

namespace almenara::sim::check {

/// What a process was told that may end it.
struct reasons_to_end {
    bool sync_failed = false;
    bool terminate = false;
};

/// Nobody ends himself without the reason that he names, and nobody names a broken safety.
void check_ending(findings& found,
                  server_id server,
                  const replica::fatal& said,
                  const reasons_to_end& has);

} // namespace almenara::sim::check
