#pragma once

#include <functional>
#include <string>

/// A piece of a test that needs a process of its own: because it takes over stderr, gives up
/// privileges, or may end the process.
namespace almenara::test {

struct child_end {
    int exit_code = -1;   ///< what `work` returned; -1 if a signal ended it
    int signal = 0;       ///< that ended it
    std::string errors{}; ///< what it wrote to stderr
};

/// Runs `work` in a child that has a copy of everything, and waits for its end.
[[nodiscard]] child_end in_child(const std::function<int()>& work);

/// In a child: stops being root. False if the user running the tests has no such rights to lose and
/// is not an ordinary one either.
[[nodiscard]] bool become_ordinary_user();

} // namespace almenara::test
