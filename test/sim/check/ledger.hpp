#pragma once

#include "sim/check/committed_log.hpp"
#include "sim/check/findings.hpp"
#include "sim/check/history.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace almenara::sim::check {

/// I12, I13, I14, I27: exactly once. Each operation has its place in the committed log or none;
/// whoever executes the log in order must get what the clients heard and what the servers hold.
class ledger {
  public:
    explicit ledger(findings& found) : found_(found) {}

    /// I14 and I10: a server sends a result to a client, whether it arrives or not. Only results
    /// that have an entry; not BUSY, RETRY_ELSEWHERE and their like.
    void result_sent(const committed_log& committed,
                     const session_bytes& session,
                     std::uint64_t seq,
                     const reply& result);

    /// Everything that was heard, once no operation is under way; gives the state that must be.
    [[nodiscard]] key_values settle(const committed_log& committed, const history& heard);

    /// I9, I12: what a server's state holds in the end.
    void check_state(server_id server, const key_values& expected, const key_values& found);

  private:
    void check_place(const operation& one, std::optional<log_index> place);
    void check_refused(const operation& one, std::optional<log_index> place);

    findings& found_;
    std::map<std::pair<session_bytes, std::uint64_t>, reply> results_;
};

} // namespace almenara::sim::check
