#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "replica/entry.hpp"
#include "replica/gate.hpp"
#include "storage/core/ids.hpp"
#include "wire/described.hpp"

#include <cstdint>
#include <optional>

namespace almenara::storage::core {

/// E.3: the first block of a segment's file. It is on the disk before the file has its name, so
/// one that cannot be read was once there.
struct segment_header {
    std::optional<cluster_id> cluster;
    segment_uuid uuid;
    segment_seq seq;
    /// The log goes on behind this point: entries behind it in older segments are void.
    replica::log_point previous;
    /// Bytes of the segment before this one that count; what lies behind them is never looked at.
    std::uint64_t previous_length = 0;
    /// B.8: a log that was emptied begins anew behind `previous`; all older segments are void.
    bool resets = false;
    /// The file had zeros behind the header when it was opened, so anything else was written since.
    bool blank = false;
    /// For people who look into files; `meta` is what counts.
    almenara::epoch epoch;
    std::optional<replica::promised> promised_to;
    log_index config; ///< of the newest CONFIG at or below `previous`
};
ALMENARA_DESCRIBE(segment_header,
                  cluster,
                  uuid,
                  seq,
                  previous,
                  previous_length,
                  resets,
                  blank,
                  epoch,
                  promised_to,
                  config)

[[nodiscard]] base::byte_vector encode_header(const segment_header& header);

/// Nothing if the block cannot be read; a failure if a newer version wrote it.
[[nodiscard]] result<std::optional<segment_header>> decode_header(base::byte_view block);

} // namespace almenara::storage::core
