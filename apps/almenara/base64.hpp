#pragma once

#include "base/bytes.hpp"

#include <string>

namespace almenara::cli {

/// RFC 4648, with padding: how JSON carries bytes.
[[nodiscard]] std::string to_base64(base::byte_view bytes);

} // namespace almenara::cli
