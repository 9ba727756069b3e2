#pragma once

#include <cstddef>
#include <string_view>

namespace almenara::server {

/// F: `--auth trust` believes whoever says it is that user.
inline constexpr std::string_view administrators_name = "admin";
inline constexpr std::size_t longest_user_name = 64; ///< bytes

/// Something that can be seen, in UTF-8, without spaces: it stands in logs and tables.
[[nodiscard]] bool is_user_name(std::string_view text);

} // namespace almenara::server
