#pragma once

#include "support/wait.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

/// Other programs as children of a test. They die with it, however it ends.
namespace almenara::test {

/// How a process ended.
struct exit_status {
    int code = -1;  ///< of exit(); -1 if a signal ended it
    int signal = 0; ///< that ended it; 0 if it left by itself

    friend bool operator==(const exit_status&, const exit_status&) = default;
};
std::ostream& operator<<(std::ostream& out, const exit_status& status);

inline constexpr exit_status good_exit{.code = 0};

/// A program and what it is started with.
struct program {
    std::vector<std::string> words; ///< the path of the program, then its arguments
    /// Beside the test's own; `{pid}` stands for the process id of the child.
    std::map<std::string, std::string> environment{};
    std::optional<std::size_t> descriptors{}; ///< how many it may have open
    std::optional<uid_t> user{};              ///< needs root
    std::optional<int> network{};             ///< an open namespace to be in; needs root
    /// Files that it, and nobody else, sees in the place of others; needs root.
    std::map<std::string, std::string> instead_of{};
    bool stderr_is_terminal = false;
};

/// A running child. Its output is collected whenever the test looks at it.
class process {
  public:
    explicit process(const program& what);
    ~process(); ///< kills it if it still runs
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    void send(int signal) const;

    /// What it has written so far.
    [[nodiscard]] const std::string& output();
    [[nodiscard]] const std::string& errors();

    [[nodiscard]] bool has_ended();
    /// Waits for the end; the test fails if it does not come.
    exit_status wait(std::chrono::nanoseconds within = patience);

    /// Whether the kernel has stopped it (SIGSTOP).
    [[nodiscard]] bool is_stopped() const;

  private:
    struct captured {
        int descriptor = -1;
        std::string text;
    };
    [[noreturn]] static void become(const program& what, int out, int err, pid_t parent);
    static void drain(captured& from);

    pid_t pid_ = -1;
    captured out_;
    captured err_;
    std::optional<exit_status> ended_;
};

/// A program that has run to its end.
struct finished {
    exit_status status;
    std::string out;
    std::string err;
};
[[nodiscard]] finished run(const program& what, std::chrono::nanoseconds within = patience);

/// The user `nobody`, or none if this test is not root and cannot become somebody else.
[[nodiscard]] std::optional<uid_t> somebody_else();

} // namespace almenara::test
