#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace almenara::base {

[[nodiscard]] bool is_utf8(std::string_view text);

/// The text with control characters and bytes that are not UTF-8 written as \n, \t or \x1b, so
/// that what a peer sends can neither forge a log line nor steer a terminal. For whole lines:
/// backslashes stay as they are, so what was escaped before is not escaped again.
[[nodiscard]] std::string escaped(std::string_view text);

/// The same in double quotes, with quotes and backslashes escaped too: the text cannot leave its
/// quotes, and two different texts never look the same. For names within a line.
[[nodiscard]] std::string quoted(std::string_view text);

/// The candidate that was probably meant, if one is close enough to be worth asking about.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

/// "Did you mean 'X'?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> candidates);

/// A whole number in [smallest, largest], with nothing before or behind it.
[[nodiscard]] result<std::uint64_t> parse_number(std::string_view text,
                                                 std::uint64_t smallest,
                                                 std::uint64_t largest);

/// Reads `4096`, `16KiB`, `4MiB`, `1GiB` as bytes.
[[nodiscard]] result<std::uint64_t> parse_size(std::string_view text);

/// The text without spaces, tabs and line ends at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

} // namespace almenara::base
