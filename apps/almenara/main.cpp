#include "program.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

/// An exception that came this far is a defect: says whose, innermost last.
void tell_defect(const std::exception& failure) {
    std::cerr << "almenara: defect: " << failure.what() << '\n';
    try {
        std::rethrow_if_nested(failure);
    } catch (const std::exception& inner) {
        tell_defect(inner);
    }
}

/// A standard stream that the caller has closed must not become the number of a socket, or what is
/// printed would be sent to the server. Nothing can be written to it this way.
void hold_standard_streams() {
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
        if (::fcntl(number, F_GETFD) == -1 && ::open("/dev/null", O_RDONLY) == -1) {
            std::_Exit(static_cast<int>(almenara::cli::exit_code::failed));
        }
    }
}

} // namespace

int main(int count, char** words) {
    using namespace almenara::cli;
    hold_standard_streams();
    // A reader that has seen enough is noticed where it is written to, so that the server still
    // hears a goodbye.
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments{words + 1, words + count};
    console out{std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1};
    try {
        const auto find = [](const char* name) { return std::getenv(name); };
        return static_cast<int>(run_program(arguments, find, out));
    } catch (const std::exception& failure) {
        tell_defect(failure);
        return static_cast<int>(exit_code::failed);
    }
}
