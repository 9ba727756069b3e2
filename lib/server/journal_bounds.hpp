#pragma once

#include <cstddef>
#include <cstdint>

namespace almenara::server {

struct journal_bounds {
    std::uint64_t file_size = 8U << 20U; ///< a new file is begun before this is passed
    std::size_t files = 8;               ///< the oldest is removed when there would be more
    /// Style 11: records that wait for the disk. The newest are dropped, and counted in the journal
    /// itself by a record `records_dropped`.
    std::size_t waiting = 8192;
};

} // namespace almenara::server
