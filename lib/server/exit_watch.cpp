#include "server/exit_watch.hpp"

#include "base/check.hpp"
#include "log/log.hpp"
#include "net/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <system_error>

#include <pthread.h>
#include <sys/resource.h>

namespace almenara::server {

namespace {

sigset_t awaited_signals() {
    sigset_t all{};
    ::sigemptyset(&all);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
        ::sigaddset(&all, number);
    }
    return all;
}

::timespec time_until(instant latest) {
    const duration left = std::max(latest - net::monotonic_now(), duration{0});
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
}

/// Threads that leave the processor to others while the server serves are what everything waits for
/// now, on a busy machine for seconds. Not everybody may do this: then it stays as it is.
void bring_all_threads_forward() {
    const int own = ::getpriority(PRIO_PROCESS, 0);
    std::error_code none; // Without /proc there is nobody to bring forward.
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task", none}) {
        const std::string name = task.path().filename();
        id_t number = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), number).ec == std::errc{}) {
            ::setpriority(PRIO_PROCESS, number, own);
        }
    }
}

} // namespace

exit_watch::~exit_watch() {
    if (thread_.joinable()) {
        ends_ = true;
        ::pthread_kill(thread_.native_handle(), SIGUSR1); // Any that it waits for and ignores.
        thread_.join();
    }
}

void exit_watch::begin(instant latest) {
    ALMENARA_CHECK(!thread_.joinable());
    // They wait until the thread takes them, whatever becomes of those who took them before.
    const sigset_t all = awaited_signals();
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    bring_all_threads_forward();
    thread_ = std::thread{[this, latest] {
        ::pthread_setname_np(::pthread_self(), "exit-watch");
        watch(latest);
    }};
}

void exit_watch::watch(instant latest) const {
    const sigset_t all = awaited_signals();
    while (true) {
        const ::timespec left = time_until(latest);
        const int number = ::sigtimedwait(&all, nullptr, &left);
        if (number == SIGTERM || number == SIGINT) {
            // Style 10: a second signal forces the exit.
            log::last_words(
                log::level::warning,
                fmt::format("{} again: leaving at once", number == SIGINT ? "SIGINT" : "SIGTERM"));
            std::_Exit(EXIT_FAILURE);
        }
        if (ends_) {
            return;
        }
        if (number < 0 && errno == EAGAIN) {
            log::last_words(log::level::notice,
                            "what was being written takes too long and is left: it is in the log, "
                            "and the next start goes on with it");
            std::_Exit(EXIT_SUCCESS);
        }
    }
}

} // namespace almenara::server
