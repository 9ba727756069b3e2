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
std::random_device source;                   // refused
const char* home = std::getenv("HOME");      // refused
double share = 1;                            // refused
float part = 1;                              // refused
std::map<const char*, int> by_address;       // refused
