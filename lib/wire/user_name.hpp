#pragma once

#include <cstddef>
#include <string_view>

namespace almenara::wire {

/// F: `--auth trust` believes whoever says it is that user.
inline constexpr std::string_view administrators_name = "admin";
inline constexpr std::size_t longest_user_name = 64; ///< bytes

/// What somebody is told who gave none.
inline constexpr std::string_view user_name_rule =
    "a user's name is 1 to 64 bytes of text that can be seen, without spaces";

/// Something that can be seen, in UTF-8, without spaces: it stands in logs and tables.
[[nodiscard]] bool is_user_name(std::string_view text);

} // namespace almenara::wire
