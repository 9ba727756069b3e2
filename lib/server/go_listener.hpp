#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <functional>
#include <string>
#include <string_view>

namespace almenara::server {

/// B.12: an operator in front of the terminal types GO. Other words are not heard.
class go_listener {
  public:
    go_listener(boost::asio::any_io_executor executor, std::function<void()> go);

    /// Begins to listen if the standard input is a terminal, and says so.
    void open();
    /// Something was typed. A line that says GO in any case is one.
    void typed(std::string_view text);
    void close();

  private:
    void read();

    boost::asio::posix::stream_descriptor terminal_;
    std::function<void()> go_;
    std::array<char, 256> buffer_{};
    std::string line_;
};

} // namespace almenara::server
