#include "server/change_hook.hpp"

#include "log/log.hpp"
#include "net/clock.hpp"
#include "support/child.hpp"
#include "support/lines.hpp"
#include "support/shell_script.hpp"
#include "support/wait.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

// --on-primary-change: real scripts.
namespace almenara::server {

namespace {

using namespace std::chrono_literals;
using test::shell_script;

/// Long enough for a script that does what it should on a busy machine.
constexpr hook_limits generous{.run = 60s, .last_words = 60s};

primary_change of(std::uint64_t number) {
    return {.epoch = epoch{number}, .primary = server_id{3}, .address = "127.0.0.1:7403"};
}

using work = std::function<void(change_hook& hook, boost::asio::io_context& reactor)>;

/// What the log says when nothing runs any more. There is one log in a process: this is another.
std::string log_of(
    const std::string& path,
    hook_limits limits,
    const work& what,
    const std::function<void()>& before = [] {}) {
    const auto end = test::in_child([&] {
        before();
        if (!log::open({.lowest = log::level::debug})) {
            return 1;
        }
        boost::asio::io_context reactor{1};
        change_hook hook{reactor.get_executor(), path, limits};
        what(hook, reactor);
        reactor.run();
        log::close();
        return hook.is_running() ? 2 : 0;
    });
    CHECK(end.signal == 0);
    CHECK(end.exit_code == 0);
    return end.errors;
}

std::string log_of(const std::string& path, hook_limits limits = generous) {
    return log_of(path, limits, [](change_hook& hook, auto&) { hook.learned(of(7)); });
}

std::ptrdiff_t times(const std::string& text, std::string_view words) {
    const auto all = test::lines_of(text);
    return std::count_if(all.begin(), all.end(), [words](const std::string& line) {
        return line.find(words) != std::string::npos;
    });
}

} // namespace

TEST_CASE("on-primary-change: the script is told in its environment, and heard in the log") {
    const shell_script here{"echo \"$ALMENARA_EPOCH $ALMENARA_PRIMARY_ID $ALMENARA_PRIMARY_ADDRESS "
                            "$ALMENARA_IS_ME $HOME\" >&2\n"};
    const bool is_me = GENERATE(true, false);
    const std::string log = log_of(here.path(), generous, [is_me](change_hook& hook, auto&) {
        ::setenv("HOME", "/nowhere", 1);
        ::setenv("ALMENARA_EPOCH", "of somebody else", 1);
        primary_change what = of(7);
        what.is_me = is_me;
        hook.learned(what);
    });
    CAPTURE(log);
    CHECK(times(log, "<6>on-primary-change: epoch 7: 7 3 127.0.0.1:7403 " +
                         std::string{is_me ? "1" : "0"} + " /nowhere") == 1);
    CHECK(times(log, "<6>on-primary-change: epoch 7: done in ") == 1);
}

TEST_CASE("on-primary-change: how it ended badly is said") {
    SECTION("an exit code") {
        const shell_script here{"echo it does not go\nexit 3\n"};
        const std::string log = log_of(here.path());
        CAPTURE(log);
        CHECK(times(log, "epoch 7: it does not go") == 1);
        CHECK(times(log, "<4>on-primary-change: epoch 7: exit code 3, after ") == 1);
    }
    SECTION("a signal") {
        const shell_script here{"kill -KILL $$\n"};
        CHECK(times(log_of(here.path()), "<4>on-primary-change: epoch 7: ended by signal 9") == 1);
    }
}

TEST_CASE("on-primary-change: nothing of the server leaks into the script") {
    const shell_script here{
        "echo descriptors $(ls /proc/self/fd)\n"
        "grep '^SigBlk' /proc/self/status\n"
        // 1 to 28; the C library has two of its own ignored.
        "grep -q '^SigIgn.*0000000$' /proc/self/status && echo no signal ignored\n"
        "read -r pid _ _ _ group _ </proc/$$/stat\n"
        "[ $pid = $group ] && echo a group of its own\n"
        "read -r line || echo nothing to read\n"
        "echo ${NOTIFY_SOCKET-no manager}\n"};
    const std::string log = log_of(here.path(), generous, [](change_hook& hook, auto&) {
        for (const int wanted : {77, 78}) {
            ::dup2(::open("/dev/null", O_RDWR), wanted);
        }
        std::signal(SIGPIPE, SIG_IGN);
        sigset_t some{};
        ::sigemptyset(&some);
        ::sigaddset(&some, SIGTERM);
        ::pthread_sigmask(SIG_BLOCK, &some, nullptr);
        ::setenv("NOTIFY_SOCKET", "/nowhere", 1);
        hook.learned(of(7));
    });
    CAPTURE(log);
    // The fourth is the folder that ls looks at.
    CHECK(times(log, ": descriptors 0 1 2 3") == 1);
    CHECK(times(log, ": descriptors 0 1 2 3 ") == 0);
    CHECK(times(log, "SigBlk:\\t0000000000000000") == 1);
    CHECK(times(log, "no signal ignored") == 1);
    CHECK(times(log, "a group of its own") == 1);
    CHECK(times(log, "nothing to read") == 1);
    CHECK(times(log, "no manager") == 1);
}

TEST_CASE("on-primary-change: a script that hangs is ended, and its children with it") {
    const shell_script here{"sleep 1000\n"};
    const std::string log = log_of(here.path(), {.run = 200ms, .last_words = 60s});
    CAPTURE(log);
    CHECK(times(log, "it takes too long and gets SIGTERM") == 1);
    CHECK(times(log, "SIGKILL") == 0);
    CHECK(times(log, "epoch 7: ended by signal 15, after ") == 1);
}

TEST_CASE("on-primary-change: how a script took it that it was told to end is said") {
    // It is told when it is ready for it, however long that takes.
    const auto told_when_ready = [](const shell_script& which) {
        return log_of(which.path(), generous, [&which](change_hook& hook, auto& reactor) {
            hook.learned(of(7));
            const auto is_ready = [&] {
                reactor.poll();
                return std::filesystem::exists(which.place() / "ready");
            };
            if (test::comes_true(is_ready, test::patience)) {
                hook.stop(net::monotonic_now());
            }
        });
    };
    SECTION("it says that it was good all the same") {
        const shell_script here{"trap 'exit 0' TERM\n>\"${0%/*}/ready\"\nsleep 1000 & wait\n"};
        const std::string log = told_when_ready(here);
        CAPTURE(log);
        CHECK(times(log, "epoch 7: exit code 0, after ") == 1);
        CHECK(times(log, "done in") == 0);
    }
    SECTION("it follows, and its children do not") {
        // As long as the child lives it holds a lock; the test gets it when there is none.
        const shell_script here{
            "exec 9>\"${0%/*}/lock\"\nflock 9\n"
            "(trap '' TERM; >\"${0%/*}/ready\"; while :; do sleep 1000; done) &\n"
            "wait\n"};
        const std::string log = told_when_ready(here);
        CAPTURE(log);
        CHECK(times(log, "epoch 7: ended by signal 15, after ") == 1);
        const int lock = ::open((here.place() / "lock").c_str(), O_RDWR | O_CLOEXEC);
        CHECK(test::comes_true([lock] { return ::flock(lock, LOCK_EX | LOCK_NB) == 0; },
                               test::patience));
        ::close(lock);
    }
    SECTION("it does not follow") {
        const shell_script here{"trap '' TERM\n>\"${0%/*}/ready\"\nwhile :; do sleep 1000; done\n"};
        const std::string log = told_when_ready(here);
        CAPTURE(log);
        CHECK(times(log, "it takes too long and gets SIGTERM") == 1);
        CHECK(times(log, "it takes too long and gets SIGKILL") == 1);
        CHECK(times(log, "epoch 7: ended by signal 9, after ") == 1);
    }
}

TEST_CASE("on-primary-change: what a script leaves behind holds nobody up") {
    // It writes into the pipe as long as the test's directory is there.
    const shell_script here{"(while [ -d \"${0%/*}\" ]; do echo still here; sleep 0.2; done) &\n"
                            "echo in front\n"};
    const std::string log = log_of(here.path(), generous, [](change_hook& hook, auto&) {
        hook.learned(of(1));
        hook.learned(of(2));
    });
    CAPTURE(log);
    CHECK(times(log, "epoch 1: done in") == 1);
    CHECK(times(log, "epoch 2: done in") == 1);
    CHECK(times(log, "in front") == 2);
}

TEST_CASE("style 11: 1 MiB from a script is some lines in the log, and the script is not held up") {
    const shell_script here{"head -c 1048576 /dev/zero | tr '\\0' x | fold -w 99\n"};
    const std::string log = log_of(here.path());
    CAPTURE(log.size());
    CHECK(times(log, "epoch 7: done in ") == 1);
    CHECK(times(log, "more lines)") == 1);
    CHECK(times(log, "xxx") >= hook_output::lines_in_a_second);
    CHECK(log.size() < 256U << 10U);
}

TEST_CASE("style 11: a script that writes without end is ended as others are") {
    const shell_script here{"exec yes\n"};
    const std::string log = log_of(here.path(), {.run = 300ms, .last_words = 60s});
    CHECK(times(log, "epoch 7: ended by signal 15") == 1);
    CHECK(log.size() < 256U << 10U);
}

TEST_CASE("on-primary-change: what cannot be run is said, and the next change tries again") {
    const shell_script here{"echo it runs\n"};
    const auto tries = [&here](const std::string& path) {
        return log_of(path, generous, [&here](change_hook& hook, auto&) {
            hook.learned(of(7));
            hook.use(here.path());
            hook.learned(of(8));
        });
    };
    std::string log;
    SECTION("it is not there") {
        log = tries(here.place() / "another");
        CHECK(times(log, "No such file or directory. It is not there, or the program") == 1);
    }
    SECTION("it may not be executed") {
        test::write_file(here.place() / "plain", "#!/bin/sh\n");
        log = tries(here.place() / "plain");
        CHECK(times(log, "plain': Permission denied") == 1);
    }
    SECTION("it is no program") {
        test::write_file(here.place() / "text", "echo hello\n");
        std::filesystem::permissions(here.place() / "text", std::filesystem::perms::owner_all);
        log = tries(here.place() / "text");
        CHECK(times(log, "text': Exec format error. Begin a script with #!/bin/sh") == 1);
    }
    CAPTURE(log);
    CHECK(times(log, "<4>on-primary-change: epoch 7: starting ") == 1);
    CHECK(times(log, "epoch 8: it runs") == 1);
}

TEST_CASE("on-primary-change: of the changes that come meanwhile only the latest is run") {
    const shell_script here{"echo run for $ALMENARA_EPOCH\n"};
    const std::string log = log_of(here.path(), generous, [](change_hook& hook, auto&) {
        for (const unsigned number : {1U, 2U, 3U, 2U}) {
            hook.learned(of(number));
        }
    });
    CAPTURE(log);
    CHECK(times(log, "run for 1") == 1);
    CHECK(times(log, "run for 2") == 0);
    CHECK(times(log, "run for 3") == 1);
}

TEST_CASE("on-primary-change: without a script nothing is run") {
    const shell_script here{"echo it runs\n"};
    CHECK(times(log_of(here.path(), generous,
                       [](change_hook& hook, auto&) {
                           hook.use(std::nullopt);
                           hook.learned(of(7));
                       }),
                "on-primary-change") == 0);
}

TEST_CASE("on-primary-change: a server that stops gives the script what is left of its time") {
    SECTION("it ends by itself") {
        const shell_script here{"echo it ends\n"};
        const std::string log = log_of(here.path(), generous, [](change_hook& hook, auto&) {
            hook.learned(of(1));
            hook.stop(net::monotonic_now() + 60s);
            hook.learned(of(2));
        });
        CAPTURE(log);
        CHECK(times(log, "epoch 1: done in ") == 1);
        CHECK(times(log, "epoch 2") == 0);
    }
    SECTION("it does not") {
        const shell_script here{"sleep 1000\n"};
        const std::string log = log_of(here.path(), generous, [](change_hook& hook, auto&) {
            hook.learned(of(1));
            hook.stop(net::monotonic_now() + 100ms);
        });
        CAPTURE(log);
        CHECK(times(log, "it takes too long and gets SIGTERM") == 1);
        CHECK(times(log, "epoch 1: ended by signal 15") == 1);
    }
}

TEST_CASE("on-primary-change: whoever started the server may ignore the ends of children") {
    const shell_script here{"exit 3\n"};
    const std::string log = log_of(
        here.path(), generous, [](change_hook& hook, auto&) { hook.learned(of(7)); },
        [] { std::signal(SIGCHLD, SIG_IGN); });
    CAPTURE(log);
    CHECK(times(log, "exit code 3") == 1);
}

} // namespace almenara::server
