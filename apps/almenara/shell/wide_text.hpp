#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace almenara::cli {

struct decoded {
    char32_t letter = 0;
    std::size_t bytes = 0;
};

/// The first character of UTF-8; U+FFFD for bytes that are none. Nothing if it is not complete and
/// more may come.
[[nodiscard]] std::optional<decoded> decode_first(std::string_view bytes, bool is_all);

/// libedit's characters are wchar_t, which are Unicode's on this system.
[[nodiscard]] std::wstring to_wide(std::string_view text);
[[nodiscard]] std::string to_utf8(std::wstring_view text);

} // namespace almenara::cli
