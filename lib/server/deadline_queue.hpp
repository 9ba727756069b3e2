#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <vector>

namespace almenara::server {

/// The deadlines of all connections behind one timer. A deadline that moves later, as each frame
/// does, costs nothing: the old entry stays and is looked at again when its time comes.
class deadline_queue {
  public:
    /// The connection's deadline is now this one.
    void set(connection_id id, instant deadline);
    void remove(connection_id id);

    /// When to look next: not later than the first deadline. Nothing while there is none.
    [[nodiscard]] std::optional<instant> next() const;

    /// Those whose deadline has come, each once and not more than `most` at a time; they have none
    /// until it is set again.
    [[nodiscard]] std::vector<connection_id> take_due(instant now, std::size_t most);

    /// Entries held, those included that something later has replaced; at most about twice as many
    /// as there are deadlines.
    [[nodiscard]] std::size_t queued() const { return queue_.size(); }

  private:
    struct entry {
        instant at;
        connection_id id;

        friend auto operator<=>(const entry&, const entry&) = default;
    };
    struct deadline {
        instant at = instant::max();     ///< the true one
        instant queued = instant::max(); ///< the earliest entry for it, not later than `at`
    };

    void queue(connection_id id, deadline& wanted);
    void drop_stale();

    std::map<connection_id, deadline> deadlines_;
    std::priority_queue<entry, std::vector<entry>, std::greater<>> queue_;
};

} // namespace almenara::server
