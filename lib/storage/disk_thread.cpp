#include "storage/disk_thread.hpp"

#include "base/check.hpp"
#include "storage/no_signals.hpp"

#include <utility>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace almenara::storage {

namespace {

/// Linux gives each thread a nice value of its own.
void step_back() {
    constexpr int nicest = 19;
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nicest);
}

} // namespace

disk_thread::disk_thread(std::unique_ptr<device> on, post_function post, lane which)
    : device_(std::move(on)), post_(std::move(post)) {
    const no_signals meanwhile;
    thread_ = std::thread{[this, which] {
        ::pthread_setname_np(::pthread_self(), which == lane::log ? "disk" : "disk-beside");
        if (which == lane::background) {
            step_back();
        }
        loop();
    }};
}

disk_thread::~disk_thread() {
    {
        const std::lock_guard held{mutex_};
        ends_ = true;
    }
    woken_.notify_one();
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
