#include "storage/worker.hpp"

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

std::thread start_worker(std::string name, priority which, std::function<void()> loop) {
    const no_signals meanwhile;
    return std::thread{[name = std::move(name), which, loop = std::move(loop)] {
        ::pthread_setname_np(::pthread_self(), name.c_str());
        if (which == priority::lowest) {
            step_back();
        }
        loop();
    }};
}

} // namespace almenara::storage
