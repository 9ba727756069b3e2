#include "net/standard_streams.hpp"
#include "program.hpp"
#include "shell/terminal.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

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

} // namespace

int main(int count, char** words) {
    using namespace almenara::cli;
    almenara::net::hold_standard_streams(almenara::net::closed_output::fails);
    // A reader that has seen enough is noticed where it is written to, so that the server still
    // hears a goodbye.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // A limit of file sizes is an error like a full disk.
    const std::vector<std::string> arguments{words + 1, words + count};
    console out{std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1};
    if (out.out_is_terminal()) {
        out.set_look([] { return look_of(STDOUT_FILENO); });
    }
    try {
        const auto find = [](const char* name) { return std::getenv(name); };
        return static_cast<int>(run_program(arguments, find, out));
    } catch (const std::exception& failure) {
        tell_defect(failure);
        return static_cast<int>(exit_code::failed);
    }
}
