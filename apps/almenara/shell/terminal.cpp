#include "shell/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace almenara::cli {

namespace {

/// A descriptor that says it has room takes this much without waiting.
constexpr std::size_t safe_piece = PIPE_BUF;

} // namespace

output_channel::output_channel(int descriptor, const order_queue& orders)
    : descriptor_(descriptor), orders_(orders) {
    std::array<char, PATH_MAX> name{};
    if (::ttyname_r(descriptor, name.data(), name.size()) == 0) {
        own_ = ::open(name.data(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    }
}

output_channel::~output_channel() {
    if (own_ >= 0) {
        ::close(own_);
    }
}

void output_channel::write(std::string_view bytes) {
    while (!bytes.empty() && !is_broken_ && wait_for_room()) {
        const std::size_t size = std::min(bytes.size(), safe_piece);
        const ssize_t taken = ::write(own_ >= 0 ? own_ : descriptor_, bytes.data(), size);
        if (taken > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(taken));
        } else if (errno != EAGAIN && errno != EINTR) {
            is_broken_ = true; // Nobody reads any more: the terminal's end is told elsewhere.
        }
    }
}

/// False: there is none, and nobody wants to wait any more.
bool output_channel::wait_for_room() const {
    std::array<::pollfd, 2> either{
        {{own_ >= 0 ? own_ : descriptor_, POLLOUT, 0}, {orders_.closing(), POLLIN, 0}}};
    while (::poll(either.data(), either.size(), -1) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return either[0].revents != 0;
}

terminal_modes::terminal_modes(int descriptor) : descriptor_(descriptor) {
    ::termios now{};
    if (::tcgetattr(descriptor, &now) == 0) {
        before_ = now;
    }
}

key_parser::signal_keys terminal_modes::signal_keys() const {
    if (!before_ || (before_->c_lflag & ISIG) == 0) {
        return {.interrupt = std::nullopt, .suspend = std::nullopt, .quit = std::nullopt};
    }
    const auto key = [&](std::size_t which) {
        const ::cc_t typed = before_->c_cc[which];
        return typed == _POSIX_VDISABLE ? std::nullopt : std::optional{static_cast<char>(typed)};
    };
    return {.interrupt = key(VINTR), .suspend = key(VSUSP), .quit = key(VQUIT)};
}

void terminal_modes::restore() const {
    if (before_) {
        ::tcsetattr(descriptor_, TCSANOW, &*before_);
    }
}

void terminal_modes::stop_with_them() const {
    ::termios now{};
    const bool is_known = ::tcgetattr(descriptor_, &now) == 0;
    restore();
    // To this thread, which then does not go on before the others: kill() may be heard elsewhere.
    std::raise(SIGSTOP);
    if (is_known) {
        ::tcsetattr(descriptor_, TCSANOW, &now);
    }
}

std::size_t columns_of(int terminal) {
    constexpr std::size_t usual = 80;
    ::winsize size{};
    if (::ioctl(terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return usual;
    }
    return size.ws_col;
}

table_look look_of(int terminal) {
    const char* const type = std::getenv("TERM");
    return {.columns = columns_of(terminal),
            .colours = type != nullptr && *type != '\0' && std::string_view{type} != "dumb"};
}

} // namespace almenara::cli
