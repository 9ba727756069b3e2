#pragma once

#include <functional>
#include <string>

namespace almenara::test {

/// Runs `work` in a child process that it must end by SIGABRT, and gives what the child wrote to
/// stderr; empty if it ended in another way. For broken invariants (style 9).
[[nodiscard]] std::string last_words(const std::function<void()>& work);

} // namespace almenara::test
