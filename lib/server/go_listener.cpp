#include "server/go_listener.hpp"

#include "base/text.hpp"
#include "log/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace almenara::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Nobody types a longer line than this and means GO.
constexpr std::size_t longest_line = 64;

} // namespace

go_listener::go_listener(asio::any_io_executor executor, std::function<void()> go)
    : terminal_(std::move(executor)), go_(std::move(go)) {}

void go_listener::open() {
    const char* const name = ::isatty(STDIN_FILENO) != 0 ? ::ttyname(STDIN_FILENO) : nullptr;
    if (name == nullptr) {
        return;
    }
    // Opened once more: not to wait is a property of what was opened, and the shell has that too.
    const int own = ::open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    error_code failure = asio::error::bad_descriptor;
    if (own >= 0) {
        terminal_.assign(own, failure);
    }
    if (failure) {
        log::warning("what is typed here cannot be read: use 'almenara cluster go'");
        return;
    }
    log::notice("the servers wait: type GO to begin");
    read();
}

void go_listener::read() {
    terminal_.async_read_some(asio::buffer(buffer_),
                              [this](const error_code& failure, std::size_t count) {
                                  if (!failure) {
                                      typed({buffer_.data(), count});
                                      read();
                                  }
                              });
}

void go_listener::typed(std::string_view text) {
    for (const char letter : text) {
        if (letter != '\n') {
            if (line_.size() < longest_line) {
                line_ += letter;
            }
            continue;
        }
        const std::string line = std::exchange(line_, {});
        const std::string_view word = base::trimmed(line);
        if (word == "GO" || word == "go" || word == "Go") {
            go_();
        }
    }
}

void go_listener::close() {
    error_code ignored; // The descriptor is gone whatever it says.
    terminal_.close(ignored);
}

} // namespace almenara::server
