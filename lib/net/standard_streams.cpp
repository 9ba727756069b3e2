#include "net/standard_streams.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace almenara::net {

void hold_standard_streams(closed_output output) {
    // The lowest free number is taken, so each lands where it is missing.
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
        // An input that is closed is not an empty one: to read it stays an error.
        const bool may_be_written = number == STDIN_FILENO || output == closed_output::vanishes;
        const int way = may_be_written ? O_WRONLY : O_RDONLY;
        if (::fcntl(number, F_GETFD) == -1 && ::open("/dev/null", way) == -1) {
            std::_Exit(EXIT_FAILURE);
        }
    }
}

} // namespace almenara::net
