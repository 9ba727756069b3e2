#pragma once

#include <string>
#include <string_view>

namespace almenara::test {

/// The lines in which two texts differ, those of the first marked '-' and those of the second '+',
/// each run of them under the line that is the last common one; empty if the texts are equal.
[[nodiscard]] std::string line_differences(std::string_view before, std::string_view after);

} // namespace almenara::test
