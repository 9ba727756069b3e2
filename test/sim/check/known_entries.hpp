#pragma once

#include "base/bytes.hpp"
#include "replica/entry.hpp"
#include "sim/check/findings.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace almenara::sim::check {

/// Bytes of a session id, as entries carry them.
using session_bytes = std::array<std::byte, 16>;

/// What is remembered of an entry that some server has or had.
struct known_entry {
    replica::log_point point;
    replica::hash64 previous;
    replica::entry_type type = replica::entry_type::update;
    wall_time time;
    session_bytes session{};
    std::uint64_t seq = 0;
};

/// I5: every entry that ever stood in any log, by (index, epoch). The same two numbers must mean
/// the same entry with the same entries before it, whoever has it.
class known_entries {
  public:
    explicit known_entries(findings& found) : found_(found) {}

    /// A server's log has `entry` behind `previous`.
    void stands(server_id where, const replica::entry& entry, const replica::log_point& previous);

    [[nodiscard]] const known_entry* find(log_index index, epoch of) const;

  private:
    void first_seen(const replica::entry& entry, const replica::log_point& previous);
    void check_order(server_id where,
                     const replica::entry& entry,
                     const replica::log_point& previous);

    findings& found_;
    /// Most positions are only ever taken once: the first to come stands in the vector.
    std::vector<std::optional<known_entry>> first_;
    std::map<std::pair<log_index, epoch>, known_entry> others_;
    base::byte_vector scratch_;
};

} // namespace almenara::sim::check
