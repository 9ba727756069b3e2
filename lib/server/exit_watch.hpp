#pragma once

#include "base/time.hpp"

#include <atomic>
#include <thread>

namespace almenara::server {

/// The last part of a stop, when nobody serves any more: files are closed and threads end, which
/// may take a while. A second SIGTERM or SIGINT still leaves at once; SIGHUP and SIGUSR1 mean
/// nothing any more; threads that stepped back for others come forward; and when it takes too long
/// it is left undone.
class exit_watch {
  public:
    exit_watch() = default;
    /// It was quick enough.
    ~exit_watch();
    exit_watch(const exit_watch&) = delete;
    exit_watch& operator=(const exit_watch&) = delete;

    /// Once, by the thread that takes the signals: from now on they come here. The process is over
    /// at `latest`, with 0.
    void begin(instant latest);

  private:
    void watch(instant latest) const;

    std::atomic<bool> ends_ = false;
    std::thread thread_;
};

} // namespace almenara::server
