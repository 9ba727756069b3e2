#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace almenara::storage {

/// Work on its way from its owner to one thread that does it piece by piece, in order.
template <class Job>
class job_queue {
  public:
    void give(Job next) {
        {
            const std::lock_guard held{mutex_};
            waiting_.push_back(std::move(next));
        }
        woken_.notify_one();
    }

    /// What waits is not done any more.
    void end() {
        {
            const std::lock_guard held{mutex_};
            ends_ = true;
        }
        woken_.notify_one();
    }

    /// The thread's: waits for the next one. None: the end.
    [[nodiscard]] std::optional<Job> take() {
        std::unique_lock held{mutex_};
        woken_.wait(held, [this] { return ends_ || !waiting_.empty(); });
        if (ends_) {
            return std::nullopt;
        }
        std::optional<Job> next{std::move(waiting_.front())};
        waiting_.pop_front();
        return next;
    }

    [[nodiscard]] std::size_t size() {
        const std::lock_guard held{mutex_};
        return waiting_.size();
    }

  private:
    std::mutex mutex_;
    std::condition_variable woken_;
    std::deque<Job> waiting_;
    bool ends_ = false;
};

} // namespace almenara::storage
