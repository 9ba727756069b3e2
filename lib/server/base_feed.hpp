#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace almenara::server {

/// When what is committed goes into the database of the state (architecture 6): many entries
/// together, because most rows of a group are written again in the same group, and only their last
/// value is work. In slices, because a turn has other things to do.
class base_feed {
  public:
    /// A group ends with so many entries,
    static constexpr std::uint64_t group_entries = 8192;
    /// or when so many bytes wait,
    static constexpr std::size_t group_bytes = std::size_t{8} << 20U;
    /// or when the first of them waits so long.
    static constexpr duration longest_wait = std::chrono::milliseconds{200};
    /// Entries of one turn, and about so many bytes: they are copied.
    static constexpr std::uint64_t slice_entries = 128;
    static constexpr std::uint64_t slice_bytes = std::uint64_t{64} << 10U;

    /// `given`: what the database has.
    explicit base_feed(log_index given) : committed_(given), group_end_(given), given_(given) {}

    /// `bytes`: of what is held for the database altogether.
    void committed(log_index upto, std::size_t bytes, instant now);

    struct slice {
        log_index upto;
        bool ends_group = false;
    };
    /// What is to be taken in this turn. It counts as given.
    [[nodiscard]] std::optional<slice> next(instant now);

    /// When there is something to take.
    [[nodiscard]] std::optional<instant> due() const;

  private:
    [[nodiscard]] bool is_in_group() const { return given_ < group_end_; }
    [[nodiscard]] std::uint64_t entries_of_slice() const;
    [[nodiscard]] std::uint64_t waiting() const { return committed_.value() - given_.value(); }

    log_index committed_;
    log_index group_end_; ///< of the group that is being given
    log_index given_;
    std::size_t bytes_ = 0;
    std::optional<instant> waits_since_; ///< the first that is in no group
};

} // namespace almenara::server
