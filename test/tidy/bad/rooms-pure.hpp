// rooms refuses this as lib/base/clock.hpp
#pragma once

#include <chrono>

template <class Clock = std::chrono::system_clock> // refused
auto moment() {
    return std::chrono::system_clock::now(); // refused
}
