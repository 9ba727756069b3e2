#pragma once

#include "base/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace almenara::cli {

/// A program of ours that runs beside us. It is killed when whoever started it ends, in whatever
/// way, and hears nothing of the keys that are pressed at the terminal. Its environment is ours but
/// for our settings (ALMENARA_...): a server would take them for its own.
class child_process {
  public:
    struct program {
        std::vector<std::string>
            words;          ///< its path, or a name that is looked for in PATH, and more
        std::string output; ///< the file to which it writes, behind what is there; empty: said()
    };
    struct end {
        int code = -1;  ///< of exit(); -1 if a signal ended it
        int signal = 0; ///< that ended it; 0 if it left by itself
    };
    using on_end = std::function<void(end how)>;
    /// The exit code of one that is not there or must not be run, as shells have it.
    static constexpr int cannot_start = 127;

    [[nodiscard]] static result<std::unique_ptr<child_process>> start(
        const boost::asio::any_io_executor& executor, const program& what, on_end then);

    ~child_process(); ///< kills it, and nobody is told
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// What it has written so far, if no file was named: it needs no room on a disk.
    [[nodiscard]] std::string said() const;
    /// Nothing happens if it has ended.
    void send(int signal) const;

  private:
    child_process(const boost::asio::any_io_executor& executor, pid_t pid, int said, on_end then);
    [[nodiscard]] result<void> watch();
    void wait_for_end();
    void look_whether_over();

    pid_t pid_;
    int said_; ///< -1: it writes into a file
    on_end then_;
    bool is_over_ = false;
    boost::asio::posix::stream_descriptor end_; ///< can be read once it has ended
};

/// `it ended with exit code 1`, `signal 9 ended it`.
[[nodiscard]] std::string to_string(const child_process::end& how);

} // namespace almenara::cli
