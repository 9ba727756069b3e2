// rooms refuses this as lib/log/severity.hpp
#pragma once

#include <boost/log/trivial.hpp> // refused
