#include "setting_values.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace almenara::almenarad {

error in_setting(std::string_view key, const setting& given, const error& failure) {
    return while_doing(fmt::format("{} ({})", key, given.origin), failure);
}

result<bool> parse_switch(std::string_view text) {
    if (text == "true" || text == "yes" || text == "on" || text == "1") {
        return true;
    }
    if (text == "false" || text == "no" || text == "off" || text == "0") {
        return false;
    }
    return error{errc::invalid, fmt::format("'{}' is neither true nor false", text)};
}

result<std::optional<std::size_t>> parse_max_clients(std::string_view text) {
    constexpr std::size_t most = 1'000'000;
    if (text == "auto") {
        return std::optional<std::size_t>{};
    }
    const auto number = base::parse_number(text, 1, most);
    if (!number) {
        return error{
            errc::invalid,
            fmt::format("'{}' is neither 'auto' nor a whole number from 1 to {}", text, most)};
    }
    return std::optional<std::size_t>{*number};
}

result<server_id> parse_server_id(std::string_view text) {
    constexpr std::uint64_t largest = 65535;
    const auto number = base::parse_number(text, 1, largest);
    if (!number) {
        return number.error();
    }
    return server_id{static_cast<std::uint16_t>(*number)};
}

result<std::string> parse_text(std::string_view text) {
    if (text.empty()) {
        return error{errc::invalid, "a value is missing. Give one, or leave it out"};
    }
    return std::string{text};
}

} // namespace almenara::almenarad
