// rooms accepts this as lib/base/id.hpp
#pragma once

// No thread, no float: the words in a comment, a string or another name are not the things.
#include <boost/system/result.hpp>

#include <chrono>
#include <map>
#include <string>

constexpr auto help = "std::chrono::steady_clock::now() and float";

struct moment {
    std::chrono::nanoseconds time() const { return wall_time(&since_); }
    std::chrono::nanoseconds wall_time(const std::chrono::nanoseconds* since) const {
        return *since;
    }
    moment random(int seed) const { return moment{log_time(seed)}; }
    std::chrono::nanoseconds since_{};
};

inline auto spent(const moment& begun, const moment* ended) {
    return ended->time() - begun.time();
}

using ticks = std::chrono::steady_clock::duration;

using by_name = std::map<std::string, moment*>;
using floating_log = int;
