// rooms accepts this as lib/log/log.cpp
#include <boost/log/trivial.hpp>
