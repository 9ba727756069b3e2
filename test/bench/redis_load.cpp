// Writes to a Redis server that has two replicas, each confirmed by both: SET, then WAIT 2.
//
//     bench-redis PORT CLIENTS SIZE SECONDS
//
// One JSON object is printed. It is run by side_by_side.py.
#include "closed_loop.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace almenara::bench;

int main(int count, char** words) {
    if (count != 5) {
        fmt::print(stderr, "usage: bench-redis PORT CLIENTS SIZE SECONDS\n");
        return 2;
    }
    const auto number = [&](int at) { return std::strtoul(words[at], nullptr, 10); };
    const std::string value(number(3), 'v');
    const std::chrono::seconds length{number(4)};
    const closed_loop how{.port = static_cast<std::uint16_t>(number(1)),
                          .clients = number(2),
                          .length = length,
                          .request = fmt::format("*3\r\n$3\r\nSET\r\n$5\r\nbench\r\n${}\r\n{}\r\n"
                                                 "*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$1\r\n0\r\n",
                                                 value.size(), value),
                          .answer_size = std::string_view{"+OK\r\n:2\r\n"}.size()};
    fmt::print("{{{}}}\n", json_members(summed_up(play_clients(how), length)));
    return 0;
}
