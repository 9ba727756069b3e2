// rooms refuses this as lib/wire/impure.cpp
#include <chrono>
#include <condition_variable> // refused
#include <cstdlib>
#include <ctime>
#include <fstream>  // refused
#include <iostream> // refused
#include <map>
#include <mutex> // refused
#include <random>
#include <string>
#include <thread>        // refused
#include <unordered_map> // refused
#include <unordered_set> // refused

#include <sys/socket.h> // refused
#include <unistd.h>     // refused

auto now = std::chrono::steady_clock::now(); // refused
auto since = std::time(nullptr);             // refused
auto again = time(nullptr);                  // refused
auto kept = time(&since);                    // refused
auto globally = ::time(nullptr);             // refused
auto spent = clock();                        // refused
int noise = rand();                          // refused
long more = random();                        // refused
std::random_device source;                   // refused
const char* home = std::getenv("HOME");      // refused
double share = 1;                            // refused
float part = 1;                              // refused
std::map<const char*, int> by_address;       // refused

using ticks = std::chrono::steady_clock;      // refused
using clock_type = std::chrono::system_clock; // refused
auto later = ticks_clock::now();              // refused
auto short_name = clock::now();               // refused

template <class Clock>
auto read(std::time_t* where) {
    srand(1);      // refused
    std::srand(1); // refused
    time(where);   // refused
    if (where)
        return time(where); // refused
    return Clock::now();    // refused
}
