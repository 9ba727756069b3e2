#include "server/reactor.hpp"

#include "net/clock.hpp"

#include <utility>

#include <time.h>

namespace almenara::server {

namespace {

/// A flood must not keep the flush from coming: after this the turn ends, dry or not (decision
/// 004).
constexpr duration longest_polling = std::chrono::microseconds{500};

/// Looking at the clock costs something too. One handler may be a hundred requests of a client that
/// floods, so it is looked at often all the same.
constexpr unsigned handlers_between_looks = 4;

duration processor_time_of_this_thread() {
    ::timespec spent{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return std::chrono::seconds{spent.tv_sec} + std::chrono::nanoseconds{spent.tv_nsec};
}

/// One thread runs this context; Asio then leaves out what only several would need.
constexpr int one_thread = 1;

} // namespace

reactor::reactor() : context_(one_thread) {}

instant reactor::now() {
    if (!turn_began_) {
        turn_began_ = net::monotonic_now();
    }
    return *turn_began_;
}

void reactor::run() {
    turn_began_.reset(); // A start is no turn.
    // From one end to the next, one system call a turn: who waits takes next to nothing.
    duration worked = processor_time_of_this_thread();
    while (wait()) {
        const instant began = now();
        poll_until_dry(began + longest_polling);
        if (flush_) {
            flush_();
        }
        if (!is_dry_) {
            // Who waits for all to be read must not wait for the next event, which may be far.
            look_again_until(now());
        }
        const instant ended = net::monotonic_now();
        last_turn_ = ended - began;
        lag_.record(ended, last_turn_);
        const duration worked_before = std::exchange(worked, processor_time_of_this_thread());
        work_.record(ended, worked - worked_before);
        turn_began_.reset();
    }
}

/// False when there is nothing left to wait for.
bool reactor::wait() {
    if (!look_until_) {
        return context_.run_one() > 0;
    }
    const instant latest = *std::exchange(look_until_, std::nullopt);
    while (context_.poll_one() == 0) {
        if (context_.stopped()) {
            return false;
        }
        if (net::monotonic_now() >= latest) {
            return true;
        }
    }
    return true;
}

void reactor::poll_until_dry(instant latest) {
    for (unsigned handlers = 1;; ++handlers) {
        is_dry_ = context_.poll_one() == 0;
        if (is_dry_ || (handlers % handlers_between_looks == 0 && net::monotonic_now() >= latest)) {
            return;
        }
    }
}

} // namespace almenara::server
