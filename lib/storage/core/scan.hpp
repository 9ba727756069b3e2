#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "replica/entry.hpp"
#include "replica/gate.hpp"
#include "storage/core/ids.hpp"
#include "storage/core/log_map.hpp"
#include "storage/core/meta.hpp"
#include "storage/core/segment_walker.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace almenara::storage::core {

/// A file with the name of a segment.
struct segment_file {
    segment_seq seq;
    segment_source* bytes = nullptr;
};

struct scan_input {
    std::vector<segment_file> files; ///< in any order
    meta_fields meta;
    log_index applied; ///< of the state: committed for sure, and not needed as entries
};

/// E.3: what a start finds.
enum class scan_verdict : std::uint8_t {
    clean,   ///< it ends where the last write ended
    torn,    ///< the last write was never synced, so nobody was told of it: it is cut
    damaged, ///< something that was synced cannot be read
};

/// Where writing goes on.
struct log_position {
    replica::log_point last;
    segment_seq newest;       ///< of all that ever were; 0 if none
    std::uint64_t length = 0; ///< how many of its bytes count
    /// The next batch may go there; otherwise the next write opens a segment.
    bool go_on = false;
    /// The next segment begins a log of its own behind `last` (B.8).
    bool resets = false;
    bool sealed = false; ///< the last batch says that everything is on the disk
    log_index hint;      ///< the highest commit hint on the disk
};

/// The last batch, which a start writes once more before anybody is told that it is on the disk
/// (E.1): the page cache of a process that died may show what no disk has.
struct tail_batch {
    segment_seq segment;
    std::uint64_t offset = 0;
    base::byte_vector bytes;
};

struct scan_result {
    scan_verdict verdict = scan_verdict::clean;
    std::optional<replica::damage> damage;
    replica::log_point base; ///< the log begins behind it
    std::vector<replica::log_point> positions;
    std::vector<replica::entry_ptr> recent; ///< those behind `applied`, and the last one
    std::vector<replica::entry_ptr> configs;
    log_map map;
    log_position position;
    std::optional<tail_batch> tail;
};

/// Reads the log. A failure only if a newer version wrote it; whatever else is wrong with the bytes
/// is a verdict, and what comes out is a beginning of what was written.
[[nodiscard]] result<scan_result> scan(scan_input input);

} // namespace almenara::storage::core
