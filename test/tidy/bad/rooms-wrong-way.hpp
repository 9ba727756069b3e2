// rooms refuses this as lib/base/wrong_way.hpp
#pragma once

#include "server/session.hpp" // refused
