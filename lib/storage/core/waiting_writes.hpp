#pragma once

#include "base/ids.hpp"
#include "replica/entry.hpp"
#include "replica/gate.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace almenara::storage::core {

/// E.2: everything that arrives while one sync runs is the next batch.
class waiting_writes {
  public:
    void add(replica::log_write write) { writes_.push_back(std::move(write)); }
    [[nodiscard]] bool empty() const { return writes_.empty(); }

    struct taken {
        std::optional<replica::log_point> cut; ///< first the log is cut so that this is its last
        std::vector<replica::entry_ptr> entries;
        std::optional<replica::batch_number> answers; ///< it and all before it are in here
    };
    /// What goes behind `end`, up to `most` bytes of a batch, but one entry at least.
    [[nodiscard]] taken take(const replica::log_point& end, std::size_t most);

  private:
    std::deque<replica::log_write> writes_;
};

} // namespace almenara::storage::core
