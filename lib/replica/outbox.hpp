#pragma once

#include "base/ids.hpp"
#include "replica/gate.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace almenara::replica {

/// What a message waits for. With neither, it leaves with this turn.
struct until {
    std::optional<meta_number> meta;
    std::optional<batch_number> batch;
};

/// Messages on their way out. Those that depend on a sync are kept here and released by its
/// event: this is the only place where "ack after sync" is coded (B.15).
class outbox {
  public:
    void put(outgoing what, until when);

    void meta_synced(meta_number number);
    void log_synced(batch_number batch);

    /// What still waits in an epoch that is over is worth nothing: an ack or a promise that left
    /// after a higher one was promised would only need an argument why it is harmless (A.3).
    void drop_below(almenara::epoch epoch);

    /// What was to be acked is going to be cut (B.8).
    void drop_acks();

    /// What still waits for the connection is dropped with it.
    void drop(connection_id connection);

    [[nodiscard]] std::vector<outgoing> take();
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  private:
    struct held {
        outgoing message;
        until when;
    };

    void release();

    std::vector<outgoing> ready_;
    std::vector<held> waiting_; ///< in the order they came
};

} // namespace almenara::replica
