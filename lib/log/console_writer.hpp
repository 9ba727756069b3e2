#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

namespace almenara::log {

/// Writes to stderr, and waits for its reader as long as it takes; after hurry() only while
/// somebody reads. So a pipe or a terminal that nobody looks at keeps no process from its end.
class console_writer {
  public:
    console_writer();
    ~console_writer();
    console_writer(const console_writer&) = delete;
    console_writer& operator=(const console_writer&) = delete;

    /// Called by one thread at a time.
    void write(std::string_view text);

    /// Writes it if there is room now, else not or in part.
    void try_write(std::string_view text) const;

    /// From any thread: the process wants to end. What can be written without much waiting still
    /// is, the rest is lost.
    void hurry();

  private:
    using clock = std::chrono::steady_clock;

    [[nodiscard]] bool wait_for_room();
    [[nodiscard]] bool goes_on() const;

    int descriptor_ = -1;
    bool gave_up_ = false;
    clock::time_point progress_{}; ///< when something was last written, or hurry() seen
    std::atomic<clock::duration> hurries_at_{}; ///< since the clock's epoch; zero: there is time
};

} // namespace almenara::log
