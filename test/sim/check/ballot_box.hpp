#pragma once

#include "replica/gate.hpp"
#include "sim/check/findings.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace almenara::sim::check {

/// I2 and I3, and the log test of B.6: who promised which epoch to whom, across restarts.
class ballot_box {
  public:
    explicit ballot_box(findings& found) : found_(found) {}

    /// A CLAIM left.
    void claimed(server_id candidate, epoch claimed, const replica::rank& rank);

    /// A server decided on a promise: it stands in a meta record or in a message.
    void promised(server_id voter, epoch of, const replica::promised& to);

    /// The log test at the moment of deciding: `mine` is what the voter compares with (B.8).
    void check_log_test(server_id voter, epoch of, server_id candidate, replica::log_end mine);

    [[nodiscard]] std::size_t promises_for(const replica::promised& candidate, epoch of) const;

  private:
    findings& found_;
    std::map<std::pair<epoch, server_id>, replica::promised> promises_;
    std::map<std::pair<epoch, server_id>, replica::rank> claims_;
};

} // namespace almenara::sim::check
