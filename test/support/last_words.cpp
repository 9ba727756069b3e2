#include "support/last_words.hpp"

#include <array>
#include <csignal>
#include <stdexcept>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace almenara::test {

namespace {

[[noreturn]] void run_child(const std::function<void()>& work, int stderr_to) {
    // The test program has its own opinion about SIGABRT, and nobody wants the core.
    std::signal(SIGABRT, SIG_DFL);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(stderr_to, STDERR_FILENO);
    work();
    _exit(0);
}

std::string read_to_end(int descriptor) {
    std::string text;
    std::array<char, 512> chunk{};
    for (ssize_t got = 0; (got = read(descriptor, chunk.data(), chunk.size())) > 0;) {
        text.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return text;
}

} // namespace

std::string last_words(const std::function<void()>& work) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {
        throw std::runtime_error("no pipe for a child process");
    }
    const pid_t child = fork();
    if (child < 0) {
        throw std::runtime_error("no child process");
    }
    if (child == 0) {
        run_child(work, ends[1]);
    }
    close(ends[1]);
    std::string words = read_to_end(ends[0]);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? words : std::string{};
}

} // namespace almenara::test
