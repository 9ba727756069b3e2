#pragma once

#include "shell/completion.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace almenara::cli {

/// How a person leaves the line.
enum class line_exit : std::uint8_t {
    end_of_input, ///< Ctrl-D
    interrupted,  ///< Ctrl-C, and again
    hung_up,      ///< the terminal is gone
};

/// Number of a completion that was asked for; an answer to another one comes too late.
using completion_number = std::uint64_t;

/// Where people type lines and see what is printed. All of it is called on the reactor's thread and
/// none of it waits: a terminal that takes nothing stops nobody else.
class line_editor {
  public:
    /// Told on the reactor's thread.
    class listener {
      public:
        /// Enter was pressed. Several lines were pasted.
        virtual void line_typed(std::string lines) = 0;
        virtual void line_left(line_exit how) = 0;
        /// offer() answers it; whoever types waits for that, but not for long.
        virtual void completion_wanted(completion_number which, std::string before_cursor) = 0;

      protected:
        ~listener() = default;
    };

    enum class channel : std::uint8_t { out, err };

    virtual ~line_editor() = default;

    /// Prompts for a line. `armed`: a command was just interrupted, so that Ctrl-C leaves.
    virtual void read_line(bool armed) = 0;

    /// While a line is typed it stays as it is, below what is printed.
    virtual void print(channel where, std::string text) = 0;

    /// A line that stands there until something is printed or typed. Empty: it goes.
    virtual void show_progress(std::string text) = 0;

    virtual void offer(completion_number which, completion_offer what) = 0;

    /// Ctrl-C: clears the line, or leaves an empty one.
    virtual void interrupt() = 0;
    /// The window has another size.
    virtual void resize() = 0;
    /// Ctrl-Z: gives the terminal back, stops, and goes on where it was.
    virtual void suspend() = 0;

    /// The terminal is as it was before; nothing more is told. What was printed stands there,
    /// unless the terminal takes nothing.
    virtual void close() = 0;
};

} // namespace almenara::cli
