#include "server/exit_watch.hpp"

#include "net/clock.hpp"
#include "support/child.hpp"
#include "support/wait.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

// B.10: the last part of a stop.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;

/// Something that nobody expects an end of, unless a signal or the watch makes one.
int takes_for_ever() {
    return test::comes_true([] { return false; }, test::patience) ? 0 : 3;
}

test::child_end leaving(duration longest, const std::function<int()>& work) {
    return test::in_child([&] {
        exit_watch watch;
        watch.begin(net::monotonic_now() + longest);
        return work();
    });
}

} // namespace

TEST_CASE("B.10: a second signal ends the last part of a stop at once, with 1") {
    const int number = GENERATE(SIGTERM, SIGINT);
    const auto end = leaving(1h, [number] {
        ::kill(::getpid(), number);
        return takes_for_ever();
    });
    CHECK(end.exit_code == 1);
}

TEST_CASE("B.10: other signals mean nothing in the last part of a stop") {
    const auto end = leaving(1h, [] {
        for (const int number : {SIGHUP, SIGUSR1, SIGHUP, SIGUSR1}) {
            ::kill(::getpid(), number);
            // As when those are gone who took it before.
            std::signal(number, SIG_DFL);
        }
        return 7;
    });
    CHECK(end.signal == 0);
    CHECK(end.exit_code == 7);
}

TEST_CASE("B.10: a stop whose last part takes too long is over all the same, with 0") {
    const duration longest = GENERATE(as<duration>{}, 0ms, 50ms);
    const auto end = leaving(longest, takes_for_ever);
    CHECK(end.exit_code == 0);
}

TEST_CASE("B.10: in the last part of a stop no thread leaves the processor to others") {
    if (::geteuid() != 0) {
        WARN("skipped: not everybody may bring a thread forward");
        return;
    }
    const auto end = test::in_child([] {
        const int own = ::getpriority(PRIO_PROCESS, 0);
        std::promise<id_t> number;
        std::promise<void> is_over;
        std::thread modest{[&] {
            constexpr int nicest = 19;
            ::setpriority(PRIO_PROCESS, 0, nicest);
            number.set_value(static_cast<id_t>(::gettid()));
            is_over.get_future().wait();
        }};
        const id_t who = number.get_future().get();
        exit_watch watch;
        watch.begin(net::monotonic_now() + 1h);
        const bool is_forward = ::getpriority(PRIO_PROCESS, who) == own;
        is_over.set_value();
        modest.join();
        return is_forward ? 7 : 8;
    });
    CHECK(end.exit_code == 7);
}

TEST_CASE("B.10: a watch that never began and one that is not needed end by themselves") {
    const exit_watch unused;
    CHECK(leaving(1h, [] { return 7; }).exit_code == 7);
}

} // namespace almenara::server
