#pragma once

#include "base/error.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What operators read. One process, one log; lines are written by a thread of their own, so that
/// a full disk or a stuck terminal never stops the reactor.
namespace almenara::log {

enum class level : std::uint8_t { debug, info, notice, warning, error };

[[nodiscard]] std::string_view to_string(level severity);
[[nodiscard]] result<level> parse_level(std::string_view text);

/// How a line begins on the console.
enum class console_style : std::uint8_t {
    human,   ///< `12:34:56.789 warning  text`, for a terminal
    journal, ///< `<4>text`: journald takes the priority and knows the time itself
};

struct file_options {
    std::string path;
    std::uint64_t rotate_at = 8U << 20U; ///< bytes
    unsigned kept = 8;                   ///< rotated files; older ones are removed
};

struct options {
    level lowest = level::info;
    console_style console = console_style::journal;
    std::optional<file_options> file{};
};

/// The style for where stderr goes: human for a terminal, else journal.
[[nodiscard]] console_style console_style_for_stderr();

/// Opens the log; lines before it are dropped. Fails if the file cannot be written.
[[nodiscard]] result<void> open(const options& wanted);

/// Writes out what waits and ends the threads. A console that nobody reads is given a second.
void close();

/// One line past everything that waits, for a process that leaves at once: if stderr has no room
/// for it, it is lost.
void last_words(level severity, std::string_view text);

void set_lowest(level lowest);
[[nodiscard]] bool is_wanted(level severity);

/// One line. Control characters are escaped here, so no caller can forget it. When lines come
/// faster than they can be written, the newest are dropped and counted.
void write(level severity, std::string_view text);

template <class... Args>
void write_format(level severity, fmt::format_string<Args...> format, Args&&... args) {
    if (is_wanted(severity)) {
        write(severity, fmt::format(format, std::forward<Args>(args)...));
    }
}

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    write_format(level::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    write_format(level::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void notice(fmt::format_string<Args...> format, Args&&... args) {
    write_format(level::notice, format, std::forward<Args>(args)...);
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    write_format(level::warning, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    write_format(level::error, format, std::forward<Args>(args)...);
}

} // namespace almenara::log
