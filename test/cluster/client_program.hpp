#pragma once

#include "support/process.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::test {

/// `almenara`, asked as a person or a script would.
[[nodiscard]] finished almenara_says(const std::vector<std::string>& words,
                                     std::optional<uid_t> user = std::nullopt);

/// The same to be started, with what it keeps in that directory.
[[nodiscard]] program almenara_with(const std::string& state,
                                    const std::vector<std::string>& words,
                                    std::optional<uid_t> user = std::nullopt);

/// `-s` for each of them.
[[nodiscard]] std::vector<std::string> naming(const std::vector<std::string>& servers);

/// The object that a program has printed before it left with 0.
[[nodiscard]] boost::json::object parsed(const finished& ended);

/// A member as it stands in the text: 4, "boot", null.
[[nodiscard]] std::string member(const boost::json::object& object, std::string_view name);

} // namespace almenara::test
