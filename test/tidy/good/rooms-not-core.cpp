// rooms accepts this as lib/server/daemon.cpp of almenara_server
#include "server/daemon.hpp"
#include "server/session.hpp"

#include <boost/asio/buffer.hpp>

#include <chrono>

auto now = std::chrono::steady_clock::now();
