#include "net/postbox.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/system/system_error.hpp>

#include <cerrno>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace almenara::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

int make_event() {
    const int event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (event < 0) {
        throw boost::system::system_error{error_code{errno, boost::system::system_category()},
                                          "making what threads wake each other with"};
    }
    return event;
}

} // namespace

postbox::postbox(asio::io_context& owner) : wake_(owner, make_event()) {
    wait();
}

postbox::~postbox() {
    close();
}

void postbox::post(std::function<void()> what) {
    {
        const std::lock_guard held{mutex_};
        if (is_closed_) {
            return;
        }
        posted_.push_back(std::move(what));
        if (posted_.size() > 1) {
            return; // The owner was woken for the first.
        }
    }
    // It fails only when it was done more often than it can count, and then the owner wakes too.
    // The descriptor lives on: close() leaves it to the destructor, and threads end before that.
    const std::uint64_t once = 1;
    [[maybe_unused]] const auto written = ::write(wake_.native_handle(), &once, sizeof once);
}

void postbox::close() {
    std::vector<std::function<void()>> dropped;
    {
        const std::lock_guard held{mutex_};
        is_closed_ = true;
        dropped.swap(posted_);
    }
    error_code ignored;
    wake_.cancel(ignored);
}

void postbox::wait() {
    wake_.async_read_some(asio::buffer(&wakes_, sizeof wakes_),
                          [this](const error_code& failure, std::size_t) {
                              // What was read ahead when close() came cannot be cancelled any more.
                              if (!failure && !is_closed_) {
                                  wait();
                                  run_posted();
                              }
                          });
}

void postbox::run_posted() {
    {
        const std::lock_guard held{mutex_};
        running_.swap(posted_);
    }
    for (const std::function<void()>& what : running_) {
        what();
    }
    running_.clear();
}

} // namespace almenara::net
