#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace almenara::server {

/// A primary that this server has learned of.
struct primary_change {
    almenara::epoch epoch;
    server_id primary;
    std::string address; ///< HOST:PORT
    bool is_me = false;

    friend bool operator==(const primary_change&, const primary_change&) = default;
};

/// How long a script may run.
struct hook_limits {
    duration run = std::chrono::seconds{10};
    /// From SIGTERM, which it may follow in good order, to SIGKILL.
    duration last_words = std::chrono::seconds{1};
    duration last_words_at_stop = std::chrono::milliseconds{500}; ///< of the server
};

/// What a script that takes too long is told.
enum class hook_urge : std::uint8_t { terminate, kill };

/// When the script of --on-primary-change runs, and for what: once for each primary, one at a time.
/// Of those that were learned while it ran the latest is next, and the others are left out.
class hook_schedule {
  public:
    explicit hook_schedule(hook_limits limits = {}) : limits_(limits) {}

    /// An epoch that is not above the last one is no news.
    void learned(primary_change what);

    /// For which primary it is to be run now, if it is. It runs from then on, until ended().
    [[nodiscard]] std::optional<primary_change> start(instant now);
    void ended();

    /// What is to be said to the one that runs, once each.
    [[nodiscard]] std::optional<hook_urge> urge(instant now);
    /// When urge() has something to say.
    [[nodiscard]] std::optional<instant> due() const;

    /// The server stops: none is begun any more, and the one that runs has until then.
    void stop(instant latest);

    [[nodiscard]] bool is_running() const { return is_running_; }
    /// Whether the one that runs was urged to end.
    [[nodiscard]] bool is_urged() const { return urged_.has_value(); }

  private:
    hook_limits limits_;
    epoch latest_;
    std::optional<primary_change> next_;
    bool is_running_ = false;
    bool is_stopped_ = false;
    instant run_until_;
    std::optional<hook_urge> urged_; ///< the last that was said to the one that runs
};

} // namespace almenara::server
