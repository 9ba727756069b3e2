// rooms refuses this as lib/server/journal.cpp
#include <boost/log/trivial.hpp> // refused
