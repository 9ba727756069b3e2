#include "support/child.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace almenara::test {

namespace {

constexpr int threw = 99;

int run(const std::function<int()>& work) {
    try {
        return work();
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "the child threw: %s\n", failure.what());
        return threw;
    }
}

[[noreturn]] void live_in_child(const std::function<int()>& work, int errors) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The test program has its own opinion about signals; a child just ends.
    for (const int signal : {SIGABRT, SIGSEGV, SIGTERM}) {
        std::signal(signal, SIG_DFL);
    }
    ::dup2(errors, STDERR_FILENO);
    // Only its own words count: what the test has buffered is the parent's to write.
    ::_exit(run(work));
}

std::string read_to_end(int descriptor) {
    std::string text;
    std::array<char, 4096> chunk{};
    for (ssize_t got = 0; (got = ::read(descriptor, chunk.data(), chunk.size())) > 0;) {
        text.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return text;
}

} // namespace

child_end in_child(const std::function<int()>& work) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error("no pipe for a child process");
    }
    const pid_t child = ::fork();
    if (child < 0) {
        throw std::runtime_error("no child process");
    }
    if (child == 0) {
        live_in_child(work, ends[1]);
    }
    ::close(ends[1]);
    child_end end;
    end.errors = read_to_end(ends[0]);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        end.signal = WTERMSIG(status);
    } else {
        end.exit_code = WEXITSTATUS(status);
    }
    return end;
}

bool become_ordinary_user() {
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0) {
        return ::setgroups(0, nullptr) == 0 && ::setgid(nobody) == 0 && ::setuid(nobody) == 0;
    }
    return true;
}

} // namespace almenara::test
