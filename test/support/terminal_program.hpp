#pragma once

#include "support/process.hpp"
#include "support/terminal_screen.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace almenara::test {

/// A program at a terminal of its own, somebody who types, and what they see. When the test fails
/// while it exists, the screen is printed.
class terminal_program {
  public:
    explicit terminal_program(const program& what, terminal_screen::size size = {});
    ~terminal_program(); ///< kills it if it still runs
    terminal_program(const terminal_program&) = delete;
    terminal_program& operator=(const terminal_program&) = delete;

    void type(std::string_view keys);
    /// As a terminal does it that knows mode 2004; the test fails if nobody asked for that.
    void paste(std::string_view text);
    void resize(terminal_screen::size to);
    void send(int signal) const;

    /// Waits until there is a line that holds this.
    void wait_for(std::string_view text);
    /// Waits until the line with the cursor is this.
    void wait_for_line(std::string_view text);
    [[nodiscard]] const terminal_screen& screen();
    /// How many lines are this or begin so.
    [[nodiscard]] std::size_t lines_with(std::string_view beginning);

    /// Whether the terminal is as a shell leaves it: lines are edited and echoed by the system.
    [[nodiscard]] bool is_as_before() const;

    /// Whether it was stopped (Ctrl-Z).
    [[nodiscard]] bool is_stopped() const;

    /// As long as it is true nothing is read: the terminal takes nothing any more once it is full.
    void stop_reading(bool stopped) { reads_ = !stopped; }

    exit_status wait();

  private:
    void pump();
    [[nodiscard]] std::string picture();

    pid_t pid_ = -1;
    int terminal_ = -1;
    terminal_screen screen_;
    bool reads_ = true;
    bool has_ended_ = false;
    int exceptions_;
};

} // namespace almenara::test
