// headers accepts this as lib/base/alone.hpp
#pragma once

#include <string>

inline std::string greeting() {
    return "hello";
}
