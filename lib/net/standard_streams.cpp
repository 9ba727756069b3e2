#include "net/standard_streams.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace almenara::net {

void hold_standard_streams(closed_output output) {
    const int way = output == closed_output::vanishes ? O_RDWR : O_RDONLY;
    // The lowest free number is taken, so each lands where it is missing.
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
        if (::fcntl(number, F_GETFD) == -1 && ::open("/dev/null", way) == -1) {
            std::_Exit(EXIT_FAILURE);
        }
    }
}

} // namespace almenara::net
