#include "client/ways.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace almenara::client {

std::string_view to_string(source told_by) {
    switch (told_by) {
    case source::beacon:
        return "beacon";
    case source::redirect:
        return "redirect";
    case source::standby:
        return "standby";
    case source::members:
        return "members";
    case source::directory:
        return "directory";
    }
    return "unknown";
}

std::optional<source> find_source(std::string_view name) {
    for (const source each : all_sources) {
        if (to_string(each) == name) {
            return each;
        }
    }
    return std::nullopt;
}

result<ways> parse_ways(std::string_view text) {
    ways found;
    for (std::string_view rest = text;;) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view word = rest.substr(0, comma);
        const auto which = find_source(word);
        if (!which) {
            std::array<std::string_view, all_sources.size()> names{};
            std::ranges::transform(all_sources, names.begin(), to_string);
            const std::string meant = base::did_you_mean(word, names);
            return error{
                errc::invalid,
                fmt::format("'{}' is no way to find a primary", base::escaped(word)),
                {},
                fmt::format("{}{}There are beacon, redirect, standby, members and directory, with "
                            "commas between",
                            meant, meant.empty() ? "" : " ")};
        }
        found.set(*which);
        if (comma == rest.size()) {
            return found;
        }
        rest.remove_prefix(comma + 1);
    }
}

} // namespace almenara::client
