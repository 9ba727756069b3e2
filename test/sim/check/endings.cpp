#include "sim/check/endings.hpp"

#include "wire/print.hpp"

namespace almenara::sim::check {

void check_ending(findings& found,
                  server_id server,
                  const replica::fatal& said,
                  const reasons_to_end& has) {
    const bool is_right = (said.how == replica::ending::disk_failed && has.sync_failed) ||
                          (said.how == replica::ending::stopped && has.terminate);
    if (!is_right) {
        found.report("safety", "server {} ends itself, {}: {}", server, wire::to_text(said.how),
                     said.text);
    }
}

} // namespace almenara::sim::check
