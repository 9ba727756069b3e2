#include "base/config_text.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::base {

namespace {

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               letter == '-' || letter == '_';
    });
}

error bad_line(unsigned line, std::string_view what) {
    return {errc::invalid, fmt::format("line {}: {}", line, what)};
}

} // namespace

result<std::vector<config_entry>> parse_config_text(std::string_view text) {
    std::vector<config_entry> entries;
    std::string section;
    for (unsigned line_number = 1; !text.empty(); ++line_number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));

        if (line.empty() || line.front() == '#' || line.front() == ';') {
            continue;
        }
        if (line.front() == '[') {
            const std::string_view name = trimmed(line.substr(1, line.size() - 2));
            if (line.size() < 3 || line.back() != ']' || !is_name(name)) {
                return bad_line(line_number, "a section is written as [name]");
            }
            section = fmt::format("{}.", name);
            continue;
        }
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            return bad_line(line_number,
                            fmt::format("'{}' is not 'key = value'", escaped(line.substr(0, 64))));
        }
        const std::string_view key = trimmed(line.substr(0, equals));
        const std::string_view value = trimmed(line.substr(equals + 1));
        if (!is_name(key)) {
            return bad_line(line_number, fmt::format("'{}' is not a key: small letters, digits, "
                                                     "'-' and '_' only",
                                                     escaped(key.substr(0, 64))));
        }
        if (escaped(value) != value) {
            return bad_line(line_number, "the value has control characters or is not UTF-8");
        }
        entries.push_back({section + std::string{key}, std::string{value}, line_number});
    }
    return entries;
}

} // namespace almenara::base
