#include "shell/order_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace almenara::cli {

namespace {

int make_event() {
    const int made = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    return made;
}

} // namespace

order_queue::order_queue() : wake_(make_event()), closing_(make_event()) {}

order_queue::~order_queue() {
    ::close(wake_);
    ::close(closing_);
}

void order_queue::push(editor_order what) {
    {
        const std::lock_guard hold{mutex_};
        if (const auto* const text = std::get_if<print_order>(&what)) {
            // What follows what was left out would stand in its place.
            if (left_out_ > 0 || bytes_ + text->text.size() > most_waiting_bytes) {
                leave_out(text->text);
                return;
            }
            bytes_ += text->text.size();
        }
        orders_.push_back(std::move(what));
    }
    static_cast<void>(::eventfd_write(wake_, 1)); // Full is as good as woken.
}

void order_queue::leave_out(const std::string& text) {
    const auto lines = std::count(text.begin(), text.end(), '\n');
    left_out_ += static_cast<std::size_t>(std::max<std::ptrdiff_t>(lines, 1));
}

void order_queue::tell_left_out() {
    if (const std::size_t lines = std::exchange(left_out_, 0); lines > 0) {
        const std::string_view what = lines == 1 ? "line was" : "lines were";
        std::string text =
            fmt::format("almenara: {} {} left out here: the terminal did not take them in time.\n",
                        lines, what);
        orders_.emplace_back(print_order{line_editor::channel::err, std::move(text)});
    }
}

void order_queue::close() {
    closed_ = true;
    static_cast<void>(::eventfd_write(closing_, 1));
    static_cast<void>(::eventfd_write(wake_, 1));
}

std::deque<editor_order> order_queue::take_all() {
    ::eventfd_t ignored = 0;
    static_cast<void>(::eventfd_read(wake_, &ignored)); // Nothing in it is no harm.
    const std::lock_guard hold{mutex_};
    bytes_ = 0;
    tell_left_out();
    return std::exchange(orders_, {});
}

void order_queue::wait() const {
    ::pollfd woken{wake_, POLLIN, 0};
    while (::poll(&woken, 1, -1) < 0 && errno == EINTR) {
    }
}

} // namespace almenara::cli
