#pragma once

#include "base/ids.hpp"
#include "base/session_ids.hpp"
#include "client/failure.hpp"
#include "client/known_cluster.hpp"
#include "client/session_record.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

/// What passes between a client and whoever keeps its state for the next run.
namespace almenara::client {

// -- What is known from earlier runs --------------------------------------------------------------

/// A session that nobody else uses now.
struct kept_session {
    session_id session;
    std::uint32_t window = 0;
    sequence next;                    ///< never used
    std::vector<kept_operation> open; ///< sent, perhaps, and not answered
};

struct recollection {
    device_nonce device;
    epoch seen;
    std::optional<kept_session> session;
    /// Nobody can find out what became of these: their sessions cannot be used any more.
    std::vector<kept_operation> lost;
    /// Nothing can be kept, and this is why: writes are refused.
    std::optional<failure> trouble;
};

// -- What is to be kept ---------------------------------------------------------------------------

/// Lazily: nothing waits for it.
struct keep_cluster {
    known_cluster what;
};
/// Answered by session_kept(). Numbers below `next` are used.
struct keep_session {
    session_id session;
    std::uint32_t window = 0;
    sequence next;
};
/// Answered by operation_kept(): it is not sent before that.
struct keep_operation {
    kept_operation what;
};
/// Answered by numbers_kept(): they are not used before that.
struct keep_numbers {
    sequence upto;
};
struct forget_operation {
    sequence seq;
};
/// There is no such session any more.
struct forget_session {
    session_id session;
};
using keep_order = std::variant<keep_cluster,
                                keep_session,
                                keep_operation,
                                keep_numbers,
                                forget_operation,
                                forget_session>;

} // namespace almenara::client
