// headers refuses this as lib/base/needs_another.hpp
#pragma once

inline std::string greeting() { // refused
    return "hello";
}
