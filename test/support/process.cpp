#include "support/process.hpp"

#include "support/instead_of.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace almenara::test {

namespace {

[[noreturn]] void give_up(std::string_view doing) {
    throw std::runtime_error(std::string{doing} + ": " + std::strerror(errno));
}

/// The reading end for the test, which does not wait, and the writing end for the child.
std::pair<int, int> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0 || ::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        give_up("making a pipe");
    }
    return {ends[0], ends[1]};
}

std::pair<int, int> make_terminal() {
    const int outside = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (outside < 0 || ::grantpt(outside) != 0 || ::unlockpt(outside) != 0) {
        give_up("making a terminal");
    }
    const int inside = ::open(::ptsname(outside), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (inside < 0) {
        give_up("opening a terminal");
    }
    return {outside, inside};
}

/// In the child, where nobody catches an exception.
void insist(bool worked, const char* doing) {
    if (!worked) {
        std::perror(doing);
        std::_Exit(126);
    }
}

void set_environment(const std::map<std::string, std::string>& wanted) {
    // The service manager of whoever runs the tests is not the one of the servers in them.
    for (const char* const name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
        ::unsetenv(name);
    }
    for (const auto& [name, value] : wanted) {
        const bool is_pid = value == "{pid}";
        ::setenv(name.c_str(), is_pid ? std::to_string(::getpid()).c_str() : value.c_str(), 1);
    }
}

} // namespace

std::ostream& operator<<(std::ostream& out, const exit_status& status) {
    if (status.signal != 0) {
        return out << "ended by signal " << status.signal;
    }
    return out << "exit code " << status.code;
}

process::process(const program& what) {
    const auto [out_end, child_out] = make_pipe();
    const auto [err_end, child_err] = what.stderr_is_terminal ? make_terminal() : make_pipe();
    out_.descriptor = out_end;
    err_.descriptor = err_end;
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
        give_up("starting a child process");
    }
    if (pid_ == 0) {
        become(what, child_out, child_err, parent);
    }
    ::close(child_out);
    ::close(child_err);
}

void process::become(const program& what, int out, int err, pid_t parent) {
    insist(::dup2(out, STDOUT_FILENO) >= 0 && ::dup2(err, STDERR_FILENO) >= 0, "dup2");
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    insist(nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0, "/dev/null");
    insist(!what.network || ::setns(*what.network, CLONE_NEWNET) == 0, "entering a network");
    insist(show(what.instead_of), "showing other files");
    // Opened while we still are who we are: another user may not reach the build folder.
    const int executable = ::open(what.words.front().c_str(), O_PATH | O_CLOEXEC);
    insist(executable >= 0, what.words.front().c_str());
    if (what.descriptors) {
        const ::rlimit limit{*what.descriptors, *what.descriptors};
        insist(::setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    }
    if (what.user) {
        insist(::setgroups(0, nullptr) == 0 && ::setgid(*what.user) == 0 &&
                   ::setuid(*what.user) == 0,
               "becoming another user");
    }
    // After setuid(), which takes it back; the parent may be gone by now.
    insist(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent, "prctl");
    const ::rlimit no_core{0, 0};
    insist(::setrlimit(RLIMIT_CORE, &no_core) == 0, "setrlimit");
    set_environment(what.environment);
    std::vector<char*> words;
    for (const std::string& word : what.words) {
        words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    ::fexecve(executable, words.data(), environ);
    std::perror(what.words.front().c_str());
    std::_Exit(127);
}

process::~process() {
    if (!has_ended()) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    for (const captured* stream : {&out_, &err_}) {
        if (stream->descriptor >= 0) {
            ::close(stream->descriptor);
        }
    }
}

void process::send(int signal) const {
    if (ended_ || ::kill(pid_, signal) != 0) {
        throw std::runtime_error("the process to be signalled has ended");
    }
}

void process::drain(captured& from) {
    std::array<char, 4096> chunk{};
    while (from.descriptor >= 0) {
        const ssize_t got = ::read(from.descriptor, chunk.data(), chunk.size());
        if (got > 0) {
            from.text.append(chunk.data(), static_cast<std::size_t>(got));
        } else if (got < 0 && errno == EAGAIN) {
            return;
        } else if (got == 0 || errno != EINTR) {
            // A terminal whose other side is closed says EIO.
            ::close(std::exchange(from.descriptor, -1));
        }
    }
}

const std::string& process::output() {
    drain(out_);
    return out_.text;
}

const std::string& process::errors() {
    drain(err_);
    return err_.text;
}

bool process::has_ended() {
    // Whoever writes into a full pipe does not end.
    drain(out_);
    drain(err_);
    int status = 0;
    if (!ended_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
        ended_ = WIFSIGNALED(status) ? exit_status{.signal = WTERMSIG(status)}
                                     : exit_status{.code = WEXITSTATUS(status)};
        drain(out_);
        drain(err_);
    }
    return ended_.has_value();
}

exit_status process::wait(std::chrono::nanoseconds within) {
    eventually([this] { return has_ended(); }, within, "the process ended");
    return *ended_;
}

bool process::is_stopped() const {
    ::siginfo_t what{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &what, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           what.si_pid == pid_;
}

finished run(const program& what, std::chrono::nanoseconds within) {
    process child{what};
    const exit_status status = child.wait(within);
    return {status, child.output(), child.errors()};
}

std::optional<uid_t> somebody_else() {
    const ::passwd* const nobody = ::getpwnam("nobody");
    if (::geteuid() != 0 || nobody == nullptr) {
        return std::nullopt;
    }
    return nobody->pw_uid;
}

} // namespace almenara::test
