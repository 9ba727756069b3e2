#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "server/daemon.hpp"
#include "settings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// What the texts of settings mean.
namespace almenara::almenarad {

/// The same failure, with the setting and the place it came from in front.
[[nodiscard]] error in_setting(std::string_view key, const setting& given, const error& failure);

[[nodiscard]] result<bool> parse_switch(std::string_view text);
[[nodiscard]] result<std::optional<std::size_t>> parse_max_clients(std::string_view text);
[[nodiscard]] result<server_id> parse_server_id(std::string_view text);
[[nodiscard]] result<std::string> parse_text(std::string_view text);

/// Parses a setting, if it is set, into a place.
template <class Parse, class Place>
[[nodiscard]] result<void> take(const settings& all,
                                std::string_view key,
                                Parse parse,
                                Place& place) {
    const setting* const given = all.find(key);
    if (given == nullptr) {
        return {};
    }
    auto value = parse(given->value);
    if (!value) {
        return in_setting(key, *given, value.error());
    }
    place = std::move(*value);
    return {};
}

/// What is said of the cluster, and that it belongs together.
[[nodiscard]] result<void> take_cluster(const settings& all, server::daemon_options& into);

/// F: that nobody who is beyond this machine is named. Names are looked up.
[[nodiscard]] result<void> check_addresses(const settings& all,
                                           const server::daemon_options& understood);

} // namespace almenara::almenarad
