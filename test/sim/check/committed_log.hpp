#pragma once

#include "sim/check/findings.hpp"
#include "sim/check/known_entries.hpp"
#include "sim/check/log_image.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace almenara::sim::check {

struct committed_entry {
    known_entry entry;
    epoch committed_in; ///< of the primary that did
};

/// The one history that the cluster agreed on: what any server ever called committed.
class committed_log {
  public:
    explicit committed_log(findings& found) : found_(found) {}

    [[nodiscard]] log_index last() const { return log_index{entries_.size()}; }
    [[nodiscard]] const committed_entry* at(log_index index) const;

    /// I13 in the log: where the operation of a session took effect.
    [[nodiscard]] std::optional<log_index> find(const session_bytes& session,
                                                std::uint64_t seq) const;

    /// The first committed entry of an epoch: from there on it is a commit of that epoch's own.
    [[nodiscard]] std::optional<log_index> first_of(epoch of) const;

    /// The last entry that was committed by a primary of an epoch below `of`; 0 if none.
    [[nodiscard]] log_index last_before(epoch of) const;

    void append(known_entry entry, epoch committed_in);

  private:
    findings& found_;
    std::vector<committed_entry> entries_;
    std::map<std::pair<session_bytes, std::uint64_t>, log_index> operations_;
    std::map<epoch, log_index> first_of_;
};

} // namespace almenara::sim::check
