#pragma once

#include "storage/disk_thread.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace almenara::test {

/// The owner's loop: what the disk's threads post waits here for the test's thread.
class owner_loop {
  public:
    [[nodiscard]] storage::post_function poster() {
        return [this](std::function<void()> answer) {
            {
                const std::lock_guard held{mutex_};
                posted_.push_back(std::move(answer));
            }
            woken_.notify_one();
        };
    }
    /// Runs the next answer. False: none came for a long time.
    [[nodiscard]] bool run_one() {
        std::function<void()> next;
        {
            std::unique_lock held{mutex_};
            if (!woken_.wait_for(held, std::chrono::seconds{30},
                                 [this] { return !posted_.empty(); })) {
                return false;
            }
            next = std::move(posted_.front());
            posted_.pop_front();
        }
        next();
        return true;
    }
    /// What is there already. Waits for nothing.
    void run_ready() {
        std::deque<std::function<void()>> ready;
        {
            const std::lock_guard held{mutex_};
            ready.swap(posted_);
        }
        for (const std::function<void()>& answer : ready) {
            answer();
        }
    }

  private:
    std::mutex mutex_;
    std::condition_variable woken_;
    std::deque<std::function<void()>> posted_;
};

} // namespace almenara::test
