#include "support/terminal_program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace almenara::test {

namespace {

::winsize as_window(terminal_screen::size size) {
    ::winsize window{};
    window.ws_row = static_cast<unsigned short>(size.rows);
    window.ws_col = static_cast<unsigned short>(size.columns);
    return window;
}

[[noreturn]] void become(const program& what) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const auto& [name, value] : what.environment) {
        ::setenv(name.c_str(), value.c_str(), 1);
    }
    std::vector<char*> words;
    for (const std::string& word : what.words) {
        words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    ::execv(words.front(), words.data());
    std::perror(words.front());
    std::_Exit(127);
}

} // namespace

terminal_program::terminal_program(const program& what, terminal_screen::size size)
    : screen_(size), exceptions_(std::uncaught_exceptions()) {
    const ::winsize window = as_window(size);
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, &window);
    if (pid_ < 0) {
        throw std::runtime_error("no terminal for a child process");
    }
    if (pid_ == 0) {
        become(what);
    }
    ::fcntl(terminal_, F_SETFL, O_NONBLOCK);
    ::fcntl(terminal_, F_SETFD, FD_CLOEXEC);
}

terminal_program::~terminal_program() {
    if (std::uncaught_exceptions() > exceptions_) {
        std::fprintf(stderr, "%s", picture().c_str());
    }
    ::close(terminal_);
    if (!has_ended_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

std::string terminal_program::picture() {
    std::string text = "--- the screen ---\n";
    for (const std::string& each : screen_.lines()) {
        text += each + '\n';
    }
    return text + "---\n";
}

void terminal_program::type(std::string_view keys) {
    eventually(
        [&] {
            pump();
            const ssize_t taken = ::write(terminal_, keys.data(), keys.size());
            keys.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(taken, 0)));
            return keys.empty();
        },
        "the terminal took the keys");
}

void terminal_program::paste(std::string_view text) {
    REQUIRE(screen().takes_pastes());
    type("\x1b[200~");
    type(text);
    type("\x1b[201~");
}

void terminal_program::resize(terminal_screen::size to) {
    pump();
    screen_.resize(to);
    const ::winsize window = as_window(to);
    REQUIRE(::ioctl(terminal_, TIOCSWINSZ, &window) == 0);
}

void terminal_program::send(int signal) const {
    REQUIRE(::kill(pid_, signal) == 0);
}

void terminal_program::pump() {
    std::array<char, 4096> chunk{};
    ssize_t got = 0;
    while (reads_ && (got = ::read(terminal_, chunk.data(), chunk.size())) > 0) {
        screen_.feed({chunk.data(), static_cast<std::size_t>(got)});
    }
}

const terminal_screen& terminal_program::screen() {
    pump();
    return screen_;
}

void terminal_program::wait_for(std::string_view text) {
    eventually(
        [&] {
            const auto lines = screen().lines();
            return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
                return line.find(text) != std::string::npos;
            });
        },
        std::string{"the screen showed: "} + std::string{text});
}

void terminal_program::wait_for_line(std::string_view text) {
    eventually([&] { return screen().cursor_line() == text; },
               std::string{"the line with the cursor was: "} + std::string{text});
}

std::size_t terminal_program::lines_with(std::string_view beginning) {
    const auto lines = screen().lines();
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(),
                      [&](const std::string& line) { return line.starts_with(beginning); }));
}

bool terminal_program::is_as_before() const {
    ::termios now{};
    REQUIRE(::tcgetattr(terminal_, &now) == 0);
    return (now.c_lflag & ICANON) != 0 && (now.c_lflag & ECHO) != 0 && (now.c_oflag & OPOST) != 0;
}

bool terminal_program::is_stopped() const {
    ::siginfo_t what{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &what, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           what.si_pid == pid_;
}

exit_status terminal_program::wait() {
    int status = 0;
    eventually(
        [&] {
            pump();
            return ::waitpid(pid_, &status, WNOHANG) == pid_;
        },
        "the program ended");
    has_ended_ = true;
    pump();
    return WIFSIGNALED(status) ? exit_status{.signal = WTERMSIG(status)}
                               : exit_status{.code = WEXITSTATUS(status)};
}

} // namespace almenara::test
