#include "storage/disk_thread.hpp"

#include "base/check.hpp"
#include "storage/worker.hpp"

#include <utility>

namespace almenara::storage {

disk_thread::disk_thread(std::unique_ptr<device> on, post_function post, lane which)
    : device_(std::move(on)), lane_(which), post_(std::move(post)) {
    const bool waits = which == lane::log;
    thread_ = start_worker(waits ? "disk" : "disk-beside",
                           waits ? priority::normal : priority::lowest, [this] { loop(); });
}

disk_thread::~disk_thread() {
    {
        const std::lock_guard held{mutex_};
        ends_ = true;
    }
    woken_.notify_one();
    if (lane_ == lane::background) {
        device_->cut_short(); // A spare of 64 MiB may take seconds, and the next start makes it.
    }
    thread_.join();
}

void disk_thread::give(work next) {
    {
        const std::lock_guard held{mutex_};
        ALMENARA_CHECK(waiting_.size() < most_waiting);
        waiting_.push_back(std::move(next));
    }
    woken_.notify_one();
}

void disk_thread::loop() {
    work next;
    while (wait_for_work(next)) {
        post_(next(*device_));
        next = nullptr; // What it holds is not kept until the next one comes.
    }
}

bool disk_thread::wait_for_work(work& next) {
    std::unique_lock held{mutex_};
    woken_.wait(held, [this] { return ends_ || !waiting_.empty(); });
    if (ends_) {
        return false;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
    return true;
}

} // namespace almenara::storage
