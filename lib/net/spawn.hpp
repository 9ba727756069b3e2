#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <stdexcept>
#include <string>

namespace almenara::net {

/// An exception left a coroutine. Network failures are values here (style 9), so this is a defect:
/// it comes out of the reactor's run() with the coroutine's name, and what happened nested inside.
class task_failed : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Style 8: the only way to start a coroutine that nobody waits for. Whatever it touches after a
/// suspension must be owned by its parameters.
void spawn(const boost::asio::any_io_executor& executor,
           std::string name,
           boost::asio::awaitable<void> task);

} // namespace almenara::net
