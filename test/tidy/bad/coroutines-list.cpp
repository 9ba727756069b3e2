// coroutines refuses this as lib/net/list.cpp
#include "task.hpp"

#include <map>
#include <string>
#include <vector>

task<> send(std::vector<std::string> lines);
task<> send_numbers(std::vector<int> numbers);
task<int> largest_of(std::initializer_list<int> numbers);

task<> of_objects(std::string first, std::string second) {
    std::vector<std::string> lines{first, second};   // refused
    lines = {first, second};                         // refused
    std::map<int, std::string> numbered{{1, first}}; // refused
    for (const auto& line : {first, second}) {       // refused
        co_await send(std::vector<std::string>(1, line));
    }
}

task<> beside_await(std::string first) {
    co_await send({first});        // refused
    co_await send_numbers({1, 2}); // refused
    co_await largest_of({1, 2});   // refused
}
