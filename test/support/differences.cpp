#include "support/differences.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace almenara::test {

namespace {

using lines = std::vector<std::string_view>;

lines lines_of(std::string_view text) {
    lines all;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        all.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return all;
}

/// common[i][j]: how many lines the texts have in common, from line i and line j on.
std::vector<std::vector<std::size_t>> common_lines(const lines& before, const lines& after) {
    std::vector<std::vector<std::size_t>> common(before.size() + 1,
                                                 std::vector<std::size_t>(after.size() + 1));
    for (std::size_t i = before.size(); i-- > 0;) {
        for (std::size_t j = after.size(); j-- > 0;) {
            common[i][j] = before[i] == after[j] ? common[i + 1][j + 1] + 1
                                                 : std::max(common[i + 1][j], common[i][j + 1]);
        }
    }
    return common;
}

} // namespace

std::string line_differences(std::string_view before_text, std::string_view after_text) {
    const lines before = lines_of(before_text);
    const lines after = lines_of(after_text);
    const auto common = common_lines(before, after);
    std::string differences;
    std::string_view last_common;
    const auto add = [&](char sign, std::string_view line) {
        if (!last_common.empty()) {
            differences.append("  ").append(last_common) += '\n';
            last_common = {};
        }
        (differences += sign).append(" ").append(line) += '\n';
    };
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < before.size() || j < after.size()) {
        if (i < before.size() && j < after.size() && before[i] == after[j]) {
            last_common = before[i];
            ++i;
            ++j;
        } else if (j == after.size() ||
                   (i < before.size() && common[i + 1][j] >= common[i][j + 1])) {
            add('-', before[i++]);
        } else {
            add('+', after[j++]);
        }
    }
    return differences;
}

} // namespace almenara::test
