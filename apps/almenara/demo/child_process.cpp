#include "demo/child_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace almenara::cli {

namespace asio = boost::asio;

namespace {

error system_error(const std::string& what) {
    return error{errc::unavailable, what, std::error_code{errno, std::generic_category()}};
}

struct prepared {
    std::vector<char*> words;       ///< as execvpe() wants them
    std::vector<char*> environment; ///< too
    int output;
    pid_t parent;
};

int open_to_append(const std::string& file) {
    constexpr mode_t for_the_owner = 0600;
    return ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, for_the_owner);
}

std::vector<char*> environment_without_settings() {
    constexpr std::string_view of_settings = "ALMENARA_";
    std::vector<char*> kept;
    for (char** each = environ; *each != nullptr; ++each) {
        if (!std::string_view{*each}.starts_with(of_settings)) {
            kept.push_back(*each);
        }
    }
    kept.push_back(nullptr);
    return kept;
}

/// In the child: only what is safe between fork() and exec().
[[noreturn]] void become(const prepared& what) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != what.parent) {
        ::_exit(child_process::cannot_start); // It ended before it could be watched.
    }
    ::setpgid(0, 0); // Ctrl-C is for the shell.
    // What the parent does at a signal would be done in its name.
    for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
        ::signal(each, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(what.output, STDOUT_FILENO);
    ::dup2(what.output, STDERR_FILENO);
    // Not all that the parent has open closes by itself: its connections would live on in the
    // child.
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execvpe(what.words.front(), what.words.data(), what.environment.data());
    static constexpr char failed[] = "the program cannot be started\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, failed, sizeof failed - 1);
    ::_exit(child_process::cannot_start);
}

} // namespace

result<std::unique_ptr<child_process>> child_process::start(const asio::any_io_executor& executor,
                                                            const program& what,
                                                            on_end then) {
    const bool is_kept_here = what.output.empty();
    const int output =
        is_kept_here ? ::memfd_create("what it says", MFD_CLOEXEC) : open_to_append(what.output);
    if (output < 0) {
        return system_error(fmt::format("opening '{}'", what.output));
    }
    prepared child{.words = {},
                   .environment = environment_without_settings(),
                   .output = output,
                   .parent = ::getpid()};
    for (const std::string& word : what.words) {
        child.words.push_back(const_cast<char*>(word.c_str())); // execvpe() does not change them.
    }
    child.words.push_back(nullptr);
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0) {
        become(child);
    }
    const int failure = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!is_kept_here || pid < 0) {
        ::close(output);
    }
    if (pid < 0) {
        errno = failure;
        return system_error(fmt::format("starting '{}'", what.words.front()));
    }
    std::unique_ptr<child_process> started{
        new child_process{executor, pid, is_kept_here ? output : -1, std::move(then)}};
    if (auto watched = started->watch(); !watched) {
        return watched.error();
    }
    return started;
}

child_process::child_process(const asio::any_io_executor& executor,
                             pid_t pid,
                             int said,
                             on_end then)
    : pid_(pid), said_(said), then_(std::move(then)), end_(executor) {}

child_process::~child_process() {
    if (!is_over_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (said_ >= 0) {
        ::close(said_);
    }
}

std::string child_process::said() const {
    constexpr std::size_t most = 4096;
    std::string text(most, '\0');
    struct stat facts{};
    const bool is_known = said_ >= 0 && ::fstat(said_, &facts) == 0;
    const ::off_t from = std::max<::off_t>(facts.st_size - ::off_t{most}, 0);
    const ssize_t got = is_known ? ::pread(said_, text.data(), text.size(), from) : 0;
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return text;
}

result<void> child_process::watch() {
    const int watched = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (watched < 0) {
        return system_error("watching a child process");
    }
    end_.assign(watched);
    wait_for_end();
    return {};
}

void child_process::wait_for_end() {
    end_.async_wait(asio::posix::descriptor_base::wait_read,
                    [this](const boost::system::error_code& cancelled) {
                        if (!cancelled) {
                            look_whether_over();
                        }
                    });
}

/// A descriptor may be called ready without being it.
void child_process::look_whether_over() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == 0) {
        return wait_for_end();
    }
    is_over_ = true;
    end how;
    if (WIFEXITED(status)) {
        how.code = WEXITSTATUS(status);
    } else {
        how.signal = WTERMSIG(status);
    }
    // Whoever is told may let go of this.
    const on_end then = std::move(then_);
    then(how);
}

void child_process::send(int signal) const {
    if (!is_over_) {
        ::kill(pid_, signal);
    }
}

std::string to_string(const child_process::end& how) {
    return how.signal != 0 ? fmt::format("signal {} ended it", how.signal)
                           : fmt::format("it ended with exit code {}", how.code);
}

} // namespace almenara::cli
