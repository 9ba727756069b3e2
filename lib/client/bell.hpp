#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace almenara::client {

/// What one coroutine waits for and plain code makes happen, once.
class bell {
  public:
    explicit bell(const boost::asio::any_io_executor& executor)
        : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

    void ring() {
        rung_ = true;
        timer_.cancel();
    }

    [[nodiscard]] bool rung() const { return rung_; }

    /// Returns at once if it rang before. It also returns, without having rung, when the waiting
    /// coroutine is cancelled: whoever waits looks at what it waited for.
    [[nodiscard]] boost::asio::awaitable<void> wait() {
        if (!rung_) {
            co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
    }

  private:
    boost::asio::steady_timer timer_;
    bool rung_ = false;
};

} // namespace almenara::client
