#include "log/console_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace almenara::log {

namespace {

/// How often a wait looks whether the process wants to end.
constexpr int look_up_ms = 50;

/// At the end: nobody reads any more, or somebody does so too slowly.
constexpr std::chrono::seconds longest_silence{1};
constexpr std::chrono::seconds longest_end{4};

/// Stderr by a way that never blocks. O_NONBLOCK on the descriptor itself would be seen by
/// everybody who shares it, the shell for example; so the pipe or terminal is opened once more.
/// What cannot be (sockets, pipes of another user) has room for PIPE_BUF bytes when poll() says so.
int open_stderr() {
    struct stat facts{};
    if (::fstat(STDERR_FILENO, &facts) != 0) {
        return -1;
    }
    int again = -1;
    if (S_ISFIFO(facts.st_mode) || S_ISCHR(facts.st_mode)) {
        again = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    return again >= 0 ? again : ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

} // namespace

console_writer::console_writer() : descriptor_(open_stderr()) {}

console_writer::~console_writer() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

void console_writer::write(std::string_view text) {
    progress_ = clock::now();
    while (!text.empty() && wait_for_room()) {
        const std::size_t size = std::min<std::size_t>(text.size(), PIPE_BUF);
        const ssize_t written = ::write(descriptor_, text.data(), size);
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            return; // Nobody is left who could be told.
        }
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
            progress_ = clock::now();
        }
    }
}

void console_writer::try_write(std::string_view text) const {
    text = text.substr(0, PIPE_BUF);
    pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (descriptor_ < 0 || ::poll(&room, 1, 0) != 1) {
        return;
    }
    // Only for a socket this keeps what could not be opened once more from waiting.
    if (::send(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        errno == ENOTSOCK) {
        [[maybe_unused]] const ssize_t written = ::write(descriptor_, text.data(), text.size());
    }
}

void console_writer::hurry() {
    hurries_at_ = clock::now().time_since_epoch();
}

bool console_writer::wait_for_room() {
    while (descriptor_ >= 0 && !gave_up_) {
        pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
        if (::poll(&room, 1, look_up_ms) > 0) {
            return true;
        }
        gave_up_ = !goes_on();
    }
    return false;
}

bool console_writer::goes_on() const {
    const clock::duration hurries_at = hurries_at_;
    if (hurries_at == clock::duration::zero()) {
        return true;
    }
    const clock::time_point began{hurries_at};
    const clock::time_point now = clock::now();
    return now < std::max(began, progress_) + longest_silence && now < began + longest_end;
}

} // namespace almenara::log
