#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace almenara::base {

/// One `key = value` of a configuration file, and the line it stands in.
struct config_entry {
    std::string key; ///< with its section: `section.key`
    std::string value;
    unsigned line = 0;

    friend bool operator==(const config_entry&, const config_entry&) = default;
};

/// Reads the text of a configuration file: `key = value`, `[section]`, `# comment` and empty lines.
/// A `#` begins a comment only at the start of a line, so values may contain it. The failure names
/// the line. Which keys there are is not known here.
[[nodiscard]] result<std::vector<config_entry>> parse_config_text(std::string_view text);

} // namespace almenara::base
