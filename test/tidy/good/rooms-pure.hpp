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
    std::chrono::nanoseconds since_{};
};

using by_name = std::map<std::string, moment*>;
using floating_log = int;
