// rooms refuses this as lib/server/relative.cpp
#include "../wire/frame.hpp" // refused
#include "boost/version.hpp" // refused
#include "session.hpp"       // refused
