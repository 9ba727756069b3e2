#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <system_error>

namespace almenara::cli {

/// What was read of an input. It has constructors because it passes through coroutines
/// (docs/style.md, trap 1).
struct input_line {
    input_line() = default;

    std::string text{};
    bool is_end = false; ///< nothing more comes; there is no text
    bool is_too_long = false;
    std::error_code failed{}; ///< why it is the end, if reading failed
};

/// The lines of a descriptor that may be anything: a file, a pipe, a terminal. It is read in a
/// thread, so that a writer who takes his time stops nobody else, and its flags stay as they are,
/// because other programs may have it too.
class input_lines {
  public:
    static constexpr std::size_t longest = std::size_t{1} << 20U;

    input_lines(boost::asio::any_io_executor executor, int descriptor);
    ~input_lines();
    input_lines(const input_lines&) = delete;
    input_lines& operator=(const input_lines&) = delete;

    /// One at a time.
    [[nodiscard]] boost::asio::awaitable<input_line> next();

    /// Who waits for a line is told that it is the end.
    void stop();

  private:
    class reader;
    boost::asio::any_io_executor executor_;
    std::shared_ptr<reader> reader_;
    boost::asio::thread_pool thread_{1};
};

} // namespace almenara::cli
