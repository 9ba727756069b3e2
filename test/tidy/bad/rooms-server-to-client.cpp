// rooms refuses this as lib/server/uses_client.cpp
#include "client/connection.hpp" // refused
