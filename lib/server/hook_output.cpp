#include "server/hook_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::server {

std::vector<std::string> hook_output::take(std::string_view bytes, instant now) {
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::size_t taken = std::min({end, bytes.size(), longest_line - line_.size()});
        line_ += bytes.substr(0, taken);
        if (taken == end || line_.size() == longest_line) {
            end_line(lines, now);
        }
        bytes.remove_prefix(taken == end ? taken + 1 : taken);
    }
    return lines;
}

std::vector<std::string> hook_output::end(instant now) {
    std::vector<std::string> lines;
    end_line(lines, now);
    if (const std::uint64_t left_out = budget_.take_left_out(); left_out > 0) {
        lines.push_back(fmt::format("({} more lines)", left_out));
    }
    return lines;
}

void hook_output::end_line(std::vector<std::string>& into, instant now) {
    std::string line = std::exchange(line_, {});
    if (!line.empty() && budget_.take(now)) {
        into.push_back(std::move(line));
    }
}

} // namespace almenara::server
