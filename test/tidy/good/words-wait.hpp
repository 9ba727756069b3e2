// words accepts this as test/support/wait.hpp
#pragma once

#include <chrono>
#include <thread>

inline void pause_between_looks() {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
