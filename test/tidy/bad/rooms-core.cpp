// rooms refuses this as lib/server/limit.cpp of almenara_server_core
// Pure code inside a room that is not.
#include <boost/asio/buffer.hpp> // refused

#include "net/stream.hpp"    // refused
#include "server/daemon.hpp" // refused

#include <chrono>
#include <thread> // refused

auto now = std::chrono::steady_clock::now(); // refused
