#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace almenara::net {

/// What other threads have for the owner's: it runs there, later and in order. Unlike `asio::post`
/// it does not wake the owner while it holds a lock that the owner then waits for, which a write
/// that is alone would pay for twice on each server.
class postbox {
  public:
    /// Throws where the system has no descriptor left.
    explicit postbox(boost::asio::io_context& owner);
    ~postbox();
    postbox(const postbox&) = delete;
    postbox& operator=(const postbox&) = delete;

    /// From any thread.
    void post(std::function<void()> what);

    /// The owner's: nothing is run any more, and nobody waits for it.
    void close();

  private:
    void wait();
    void run_posted();

    boost::asio::posix::stream_descriptor wake_; ///< an eventfd
    std::uint64_t wakes_ = 0;                    ///< what is read from it
    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;
    bool is_closed_ = false;                     ///< the owner's to change
    std::vector<std::function<void()>> running_; ///< the owner's
};

} // namespace almenara::net
