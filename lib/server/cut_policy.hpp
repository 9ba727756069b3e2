#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

namespace almenara::server {

/// When what was proposed becomes a batch (decision 004): at most so many are on their way, and
/// clients that were answered together get a moment to ask again together. One alone never waits.
class cut_policy {
  public:
    /// How long a batch waits for those who were in the last one.
    static constexpr duration longest_gather = std::chrono::microseconds{80};
    /// How long it waits for requests that are here and have not had their turn: whoever floods the
    /// server holds up nobody's batch.
    static constexpr duration longest_completion = std::chrono::milliseconds{1};
    /// A batch of so many bytes waits for nobody.
    static constexpr std::size_t large_batch = std::size_t{512} << 10U;

    /// `depth`: batches on their way at a time.
    explicit cut_policy(std::size_t depth) : depth_(depth) {}

    void proposed(log_index index, std::size_t bytes);
    void committed(log_index upto);
    /// A term of office begins or ends: nothing is on its way that clients of this one wait for.
    void office_changed();

    struct decision {
        bool cut = true;
        /// Not yet: look again when more has come, and then at the latest.
        std::optional<instant> gather_until{};
    };
    /// At the end of each turn. What is to be cut counts as on its way from then on. `more_waits`:
    /// requests that have come are for the next turn, so their batch is not complete either.
    [[nodiscard]] decision decide(instant now, bool more_waits = false);

  private:
    [[nodiscard]] std::size_t waiting() const {
        return static_cast<std::size_t>(proposed_.value() - cut_upto_.value());
    }

    struct batch {
        log_index last;
        std::size_t entries = 0;
    };

    std::size_t depth_;
    std::deque<batch> on_their_way_;
    log_index proposed_;
    log_index cut_upto_;
    std::size_t waiting_bytes_ = 0;
    std::size_t group_ = 0; ///< how many the last commit released
    std::optional<instant> gathering_until_;
    std::optional<instant> completing_until_;
};

} // namespace almenara::server
