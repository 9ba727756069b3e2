// words refuses this as lib/wire/words.hpp
#pragma once

#include <string>

using namespace std; // refused

namespace almenara {

using namespace std::string_literals; // refused

} // namespace almenara
