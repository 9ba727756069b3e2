#include "server/hook_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace almenara::server {

namespace {

/// What a new process is made of, and its end. Each call that prepares it may lack memory.
class preparations {
  public:
    preparations() {
        note(::posix_spawn_file_actions_init(&files_));
        note(::posix_spawnattr_init(&attributes_));
    }
    ~preparations() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    preparations(const preparations&) = delete;
    preparations& operator=(const preparations&) = delete;

    /// Not every descriptor of ours is closed by itself there: those of sockets and of the log file
    /// are not.
    void connect_to(int output) {
        note(::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
        note(::posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO));
        note(::posix_spawn_file_actions_adddup2(&files_, output, STDERR_FILENO));
        note(::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1));
    }

    /// We ignore SIGPIPE, and whoever started us may have ignored or blocked others.
    void let_signals_be() {
        sigset_t signals{};
        ::sigemptyset(&signals);
        note(::posix_spawnattr_setsigmask(&attributes_, &signals));
        ::sigfillset(&signals);
        note(::posix_spawnattr_setsigdefault(&attributes_, &signals));
        note(::posix_spawnattr_setpgroup(&attributes_, 0));
        constexpr int all = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
        note(::posix_spawnattr_setflags(&attributes_, static_cast<short>(all)));
    }

    /// An errno, or 0.
    [[nodiscard]] int spawn(const std::string& script,
                            std::vector<std::string> environment,
                            pid_t& id) {
        if (failure_ != 0) {
            return failure_;
        }
        std::string name = script;
        std::array<char*, 2> words{name.data(), nullptr};
        std::vector<char*> variables;
        for (std::string& one : environment) {
            variables.push_back(one.data());
        }
        variables.push_back(nullptr);
        return ::posix_spawn(&id, script.c_str(), &files_, &attributes_, words.data(),
                             variables.data());
    }

  private:
    void note(int failure) { failure_ = failure_ != 0 ? failure_ : failure; }

    ::posix_spawn_file_actions_t files_{};
    ::posix_spawnattr_t attributes_{};
    int failure_ = 0;
};

/// Ours, without what the service manager said to us alone.
std::vector<std::string> environment_for(const primary_change& what) {
    constexpr std::array<std::string_view, 7> left_out{
        "NOTIFY_SOCKET=",  "WATCHDOG_PID=",        "WATCHDOG_USEC=",
        "ALMENARA_EPOCH=", "ALMENARA_PRIMARY_ID=", "ALMENARA_PRIMARY_ADDRESS=",
        "ALMENARA_IS_ME="};
    std::vector<std::string> all;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view variable{*each};
        if (std::none_of(left_out.begin(), left_out.end(),
                         [&](std::string_view name) { return variable.starts_with(name); })) {
            all.emplace_back(variable);
        }
    }
    all.push_back(fmt::format("ALMENARA_EPOCH={}", what.epoch));
    all.push_back(fmt::format("ALMENARA_PRIMARY_ID={}", what.primary));
    all.push_back(fmt::format("ALMENARA_PRIMARY_ADDRESS={}", what.address));
    all.push_back(fmt::format("ALMENARA_IS_ME={}", what.is_me ? 1 : 0));
    return all;
}

/// glibc 2.36 declares pidfd_open() for C alone. The descriptor closes in children by itself.
int watch_for_end(pid_t of) {
    return static_cast<int>(::syscall(SYS_pidfd_open, of, 0));
}

error cannot_start(const std::string& script, int why) {
    errno = why;
    error failure = last_system_error(fmt::format("starting '{}'", script));
    if (why == ENOEXEC) {
        failure.advice = "Begin a script with #!/bin/sh";
    } else if (why == ENOENT) {
        failure.advice = "It is not there, or the program that its first line names";
    }
    return failure;
}

} // namespace

result<hook_process> hook_process::start(const std::string& script, const primary_change& what) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return cannot_start(script, errno);
    }
    hook_process begun;
    begun.output_ = storage::descriptor{ends[0]};
    const storage::descriptor for_script{ends[1]};
    // Of our end only: the script's is a file of its own.
    ::fcntl(begun.output_.number(), F_SETFL, O_NONBLOCK);
    preparations made;
    made.connect_to(for_script.number());
    made.let_signals_be();
    if (const int failure = made.spawn(script, environment_for(what), begun.id_); failure != 0) {
        return cannot_start(script, failure);
    }
    begun.watch_ = storage::descriptor{watch_for_end(begun.id_)};
    if (!begun.watch_) {
        const int failure = errno;
        begun.signal(SIGKILL); // Nobody would see its end.
        ::waitpid(begun.id_, nullptr, 0);
        return cannot_start(script, failure);
    }
    return begun;
}

void hook_process::signal(int number) const {
    ::kill(-id_, number);
}

bool hook_process::has_ended() const {
    ::siginfo_t how{};
    constexpr int only_look = WEXITED | WNOHANG | WNOWAIT;
    // Where it fails there is nobody to wait for.
    return ::waitid(P_PIDFD, static_cast<id_t>(watch_.number()), &how, only_look) != 0 ||
           how.si_pid == id_;
}

process_end hook_process::end() {
    ::siginfo_t how{};
    if (::waitid(P_PIDFD, static_cast<id_t>(watch_.number()), &how, WEXITED | WNOHANG) != 0 ||
        how.si_pid != id_) {
        return {};
    }
    return how.si_code == CLD_EXITED ? process_end{.code = how.si_status}
                                     : process_end{.signal = how.si_status};
}

} // namespace almenara::server
