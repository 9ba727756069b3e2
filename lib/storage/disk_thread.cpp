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
    waiting_.end();
    if (lane_ == lane::background) {
        device_->cut_short(); // A spare of 64 MiB may take seconds, and the next start makes it.
    }
    thread_.join();
}

void disk_thread::give(work next) {
    ALMENARA_CHECK(waiting_.size() < most_waiting);
    waiting_.give(std::move(next));
}

void disk_thread::loop() {
    // What a piece of work holds is not kept until the next one comes.
    while (const auto next = waiting_.take()) {
        post_((*next)(*device_));
    }
}

} // namespace almenara::storage
