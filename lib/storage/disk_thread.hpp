#pragma once

#include "storage/device.hpp"
#include "storage/job_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

namespace almenara::storage {

/// Runs something on the owner's thread, later and in order: `net::postbox` in the daemon. It is
/// called from the disk's threads.
using post_function = std::function<void(std::function<void()>)>;

enum class lane : std::uint8_t {
    log,        ///< batches and `meta`: somebody waits
    background, ///< spares, recycling, entries read back: with what the others leave
};

/// One thread with a device of its own: one piece of work at a time, in order (E.2). It shares
/// nothing with the owner: work goes in as a function, an answer comes out as one.
class disk_thread {
  public:
    /// Runs on the owner's thread.
    using answer = std::function<void()>;
    /// Runs on this one.
    using work = std::function<answer(device&)>;

    /// Style 11: the owner gives no more than this at once.
    static constexpr std::size_t most_waiting = 4;

    disk_thread(std::unique_ptr<device> on, post_function post, lane which);
    /// What runs is waited for, or cut short if nobody waits for it; what waits is not done.
    ~disk_thread();
    disk_thread(const disk_thread&) = delete;
    disk_thread& operator=(const disk_thread&) = delete;

    void give(work next);

  private:
    void loop();

    std::unique_ptr<device> device_; ///< touched by the thread alone, but for its end
    lane lane_;
    post_function post_;
    job_queue<work> waiting_;
    std::thread thread_;
};

} // namespace almenara::storage
