#include "shell/input_lines.hpp"

#include "client/bell.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace almenara::cli {

namespace asio = boost::asio;

/// What the thread does. Between two lines it is the owner's.
class input_lines::reader {
  public:
    explicit reader(int descriptor) : descriptor_(descriptor), stop_(::eventfd(0, EFD_CLOEXEC)) {
        if (stop_ < 0) {
            throw std::system_error(errno, std::generic_category(), "eventfd");
        }
    }
    ~reader() { ::close(stop_); }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;

    /// From any thread.
    void stop() const {
        // Its counter cannot overflow; nobody else writes.
        static_cast<void>(::eventfd_write(stop_, 1));
    }

    [[nodiscard]] input_line read() {
        if (std::exchange(is_within_long_line_, false)) {
            skip_line();
        }
        while (true) {
            const std::size_t end = read_.find('\n');
            if (std::min(end, read_.size()) > longest) {
                return refuse(end);
            }
            if (end != std::string::npos) {
                return take(end);
            }
            if (is_over_ || !read_more()) {
                return read_.empty() || failed_ ? the_end() : take(read_.size());
            }
        }
    }

  private:
    [[nodiscard]] input_line take(std::size_t end) {
        input_line line;
        line.text = read_.substr(0, end);
        read_.erase(0, end + 1);
        return line;
    }

    [[nodiscard]] input_line refuse(std::size_t end) {
        is_within_long_line_ = end == std::string::npos;
        read_.erase(0, is_within_long_line_ ? end : end + 1);
        input_line line;
        line.is_too_long = true;
        return line;
    }

    void skip_line() {
        while (read_.find('\n') == std::string::npos) {
            read_.clear();
            if (is_over_ || !read_more()) {
                return;
            }
        }
        read_.erase(0, read_.find('\n') + 1);
    }

    [[nodiscard]] input_line the_end() const {
        input_line line;
        line.is_end = true;
        line.failed = failed_;
        return line;
    }

    /// False: nothing more comes, or nobody wants it.
    [[nodiscard]] bool read_more() {
        std::array<::pollfd, 2> either{{{descriptor_, POLLIN, 0}, {stop_, POLLIN, 0}}};
        if (::poll(either.data(), either.size(), -1) < 0) {
            return errno == EINTR || fail();
        }
        if (either[1].revents != 0) {
            read_.clear();
            is_over_ = true;
            return false;
        }
        std::array<char, 4096> chunk{};
        const ssize_t got = ::read(descriptor_, chunk.data(), chunk.size());
        if (got < 0) {
            return errno == EINTR || errno == EAGAIN || fail();
        }
        read_.append(chunk.data(), static_cast<std::size_t>(got));
        is_over_ = got == 0;
        return !is_over_;
    }

    bool fail() {
        failed_ = std::error_code{errno, std::generic_category()};
        is_over_ = true;
        return false;
    }

    int descriptor_;
    int stop_;
    std::string read_; ///< and not yet taken
    bool is_over_ = false;
    bool is_within_long_line_ = false; ///< that was refused; its rest is still to come
    std::error_code failed_;
};

input_lines::input_lines(asio::any_io_executor executor, int descriptor)
    : executor_(std::move(executor)), reader_(std::make_shared<reader>(descriptor)) {}

input_lines::~input_lines() {
    stop();
    thread_.join();
}

void input_lines::stop() {
    reader_->stop();
}

asio::awaitable<input_line> input_lines::next() {
    struct meeting {
        explicit meeting(const asio::any_io_executor& executor) : done(executor) {}
        client::bell done;
        input_line line;
    };
    const auto here = std::make_shared<meeting>(executor_);
    asio::post(thread_, [here, reader = reader_, executor = executor_] {
        input_line line = reader->read();
        asio::post(executor, [here, line = std::move(line)]() mutable {
            here->line = std::move(line);
            here->done.ring();
        });
    });
    co_await here->done.wait();
    co_return std::move(here->line);
}

} // namespace almenara::cli
