// rooms accepts this as lib/server/budget.cpp of almenara_server_core
#include "base/id.hpp"

#include <chrono>
