#pragma once

#include "base/error.hpp"

#include <optional>
#include <string>

namespace almenara::cli {

/// The person's own settings of the line editor: the file that EDITRC names, or ~/.editrc. Nothing
/// if there is none. Fails if it is nothing to be read, because libedit would read it for ever.
[[nodiscard]] result<std::optional<std::string>> editrc_path();

} // namespace almenara::cli
